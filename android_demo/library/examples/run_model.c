/* Runs a model by TensorFlow Lite's C API with the delegate of mobile-bnn.aar.
 *
 *   run_model MODEL THREADS < inputs > outputs
 *
 * Standard input has samples one after the other, each the bytes of all inputs of the model; standard output gets the bytes
 * of all outputs likewise. A failure is a message on standard error and the exit status 1. */
#include <mobile_bnn_delegate.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <tensorflow/lite/c/c_api.h>

typedef struct {
  TfLiteModel* model;
  TfLiteDelegate* delegate;
  TfLiteInterpreterOptions* options;
  TfLiteInterpreter* interpreter;
} Network;

static void print_line(const char* message) { fprintf(stderr, "%s\n", message); }

static bool fail(const char* message) {
  print_line(message);
  return false;
}

/* What TensorFlow Lite reports. */
static void print_error(void* unused, const char* format, va_list arguments) {
  (void)unused;
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

/* False, after a message, if the file or the number of threads is refused; close_network frees what there is. */
static bool open_network(Network* network, const char* path, const char* threads) {
  const char* const keys[] = {"num_threads"};
  const char* const values[] = {threads};
  network->model = TfLiteModelCreateFromFileWithErrorReporter(path, print_error, NULL);
  if (network->model == NULL) return fail("the model cannot be read");
  network->delegate = tflite_plugin_create_delegate(keys, values, 1, print_line);
  if (network->delegate == NULL) return fail("there is no delegate");
  network->options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetErrorReporter(network->options, print_error, NULL);
  TfLiteInterpreterOptionsSetNumThreads(network->options, atoi(threads));
  TfLiteInterpreterOptionsAddDelegate(network->options, network->delegate);
  network->interpreter = TfLiteInterpreterCreate(network->model, network->options);
  if (network->interpreter == NULL || TfLiteInterpreterAllocateTensors(network->interpreter) != kTfLiteOk) {
    return fail("the runtime refuses the model");
  }
  return true;
}

static void close_network(Network* network) {
  TfLiteInterpreterDelete(network->interpreter); /* before the delegate, which it uses */
  TfLiteInterpreterOptionsDelete(network->options);
  tflite_plugin_destroy_delegate(network->delegate);
  TfLiteModelDelete(network->model);
}

/* Reads the inputs of one sample. False where none are left; `broken` says whether the sample is cut off. */
static bool read_inputs(const Network* network, bool* broken) {
  const int count = TfLiteInterpreterGetInputTensorCount(network->interpreter);
  *broken = false;
  for (int i = 0; i < count; ++i) {
    TfLiteTensor* input = TfLiteInterpreterGetInputTensor(network->interpreter, i);
    const size_t size = TfLiteTensorByteSize(input);
    const size_t got = fread(TfLiteTensorData(input), 1, size, stdin);
    if (got == size) continue;
    *broken = i > 0 || got > 0;
    return false;
  }
  return count > 0;
}

static bool write_outputs(const Network* network) {
  const int count = TfLiteInterpreterGetOutputTensorCount(network->interpreter);
  for (int i = 0; i < count; ++i) {
    const TfLiteTensor* output = TfLiteInterpreterGetOutputTensor(network->interpreter, i);
    const size_t size = TfLiteTensorByteSize(output);
    if (fwrite(TfLiteTensorData(output), 1, size, stdout) != size) return fail("the outputs cannot be written");
  }
  return true;
}

static bool run_all(const Network* network) {
  bool broken = false;
  while (read_inputs(network, &broken)) {
    if (TfLiteInterpreterInvoke(network->interpreter) != kTfLiteOk) return fail("the inference failed");
    if (!write_outputs(network)) return false;
  }
  return !broken || fail("the last sample is cut off");
}

int main(int count, char** arguments) {
  Network network = {NULL, NULL, NULL, NULL};
  if (count != 3) {
    print_line("usage: run_model MODEL THREADS < inputs > outputs");
    return 2;
  }
  const bool done = open_network(&network, arguments[1], arguments[2]) && run_all(&network);
  close_network(&network);
  if (fflush(stdout) != 0) return 1;
  return done ? 0 : 1;
}

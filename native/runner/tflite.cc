#include "runner/tflite.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

namespace mbnn {
namespace {

template <class Function>
bool find(void* library, const char* name, Function* function) {
  void* symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
  return symbol != nullptr;
}

// Opens `path`, or the first of `names` that is in `folder`, or that the system finds.
void* open_one(const char* path, const char* folder, const char* const* names, char* why, size_t size) {
  if (path != nullptr) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) snprintf(why, size, "%s", dlerror());
    return library;
  }
  for (const char* const* name = names; *name != nullptr; ++name) {
    void* library = nullptr;
    if (folder != nullptr) {
      char beside[4096];
      snprintf(beside, sizeof beside, "%s/%s", folder, *name);
      library = dlopen(beside, RTLD_NOW | RTLD_LOCAL);
      if (library == nullptr) snprintf(why, size, "%s", dlerror());
    }
    if (library == nullptr) library = dlopen(*name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) return library;
    if (folder == nullptr) snprintf(why, size, "%s", dlerror());
  }
  return nullptr;
}

}  // namespace

bool load_tflite(const char* path, const char* folder, TfLite* t, char* why, size_t size) {
  static const char* const kNames[] = {"libtensorflowlite_jni.so", "libjnitensorflowlite.so", "libtensorflowlite_c.so",
                                       "libLiteRt.so", nullptr};
  void* library = open_one(path, folder, kNames, why, size);
  if (library == nullptr) return false;
  const bool found =
      find(library, "TfLiteVersion", &t->version) && find(library, "TfLiteModelCreate", &t->model_create) &&
      find(library, "TfLiteModelDelete", &t->model_delete) &&
      find(library, "TfLiteInterpreterOptionsCreate", &t->options_create) &&
      find(library, "TfLiteInterpreterOptionsDelete", &t->options_delete) &&
      find(library, "TfLiteInterpreterOptionsSetNumThreads", &t->set_num_threads) &&
      find(library, "TfLiteInterpreterOptionsSetErrorReporter", &t->set_error_reporter) &&
      find(library, "TfLiteInterpreterOptionsAddDelegate", &t->add_delegate) &&
      find(library, "TfLiteInterpreterCreate", &t->create) && find(library, "TfLiteInterpreterDelete", &t->destroy) &&
      find(library, "TfLiteInterpreterAllocateTensors", &t->allocate) &&
      find(library, "TfLiteInterpreterModifyGraphWithDelegate", &t->modify) &&
      find(library, "TfLiteInterpreterInvoke", &t->invoke) &&
      find(library, "TfLiteInterpreterGetInputTensorCount", &t->input_count) &&
      find(library, "TfLiteInterpreterGetInputTensor", &t->input) &&
      find(library, "TfLiteInterpreterGetOutputTensorCount", &t->output_count) &&
      find(library, "TfLiteInterpreterGetOutputTensor", &t->output) &&
      find(library, "TfLiteTensorByteSize", &t->bytes) && find(library, "TfLiteTensorType", &t->type) &&
      find(library, "TfLiteTensorCopyFromBuffer", &t->copy_in) &&
      find(library, "TfLiteTensorCopyToBuffer", &t->copy_out) && find(library, "TfLiteTensorName", &t->name) &&
      find(library, "TfLiteTensorNumDims", &t->num_dims) && find(library, "TfLiteTensorDim", &t->dim) &&
      find(library, "TfLiteTensorQuantizationParams", &t->quantization);
  if (!found) {
    snprintf(why, size, "the library lacks a function of TFLite's C API: %s", dlerror());
    return false;
  }
  const bool xnnpack = find(library, "TfLiteXNNPackDelegateOptionsDefault", &t->xnnpack_options) &&
                       find(library, "TfLiteXNNPackDelegateCreate", &t->xnnpack_create) &&
                       find(library, "TfLiteXNNPackDelegateDelete", &t->xnnpack_delete);
  if (!xnnpack) t->xnnpack_create = nullptr;
  return true;
}

bool load_library(const char* path, const char* folder, Library* l, char* why, size_t size) {
  static const char* const kNames[] = {"libmobile_bnn_delegate.so", nullptr};
  void* library = open_one(path, folder, kNames, why, size);
  if (library == nullptr) return false;
  const bool found = find(library, "tflite_plugin_create_delegate", &l->create) &&
                     find(library, "tflite_plugin_destroy_delegate", &l->destroy) &&
                     find(library, "mobile_bnn_version", &l->version) &&
                     find(library, "mobile_bnn_default_isa", &l->default_isa) &&
                     find(library, "mobile_bnn_tile", &l->tile) &&
                     find(library, "mobile_bnn_peak_gmacs", &l->peak_gmacs);
  if (!found) snprintf(why, size, "it is not of this version: %s", dlerror());
  return found;
}

}  // namespace mbnn

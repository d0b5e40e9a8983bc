#include <dlfcn.h>
#include <string.h>

#include "interpreters.h"

namespace {

constexpr jint kErrorBytes = 512;  // as org.tensorflow.lite.NativeInterpreterWrapper has it

// As NativeInterpreterWrapper.init and .run do it in TensorFlow Lite 2.16.
class TfliteInterpreter final : public Interpreter {
 public:
  TfliteInterpreter(JNIEnv* env, void* library, const char* runtime) : env_(env) {
    void* tflite = dlopen(runtime, RTLD_NOW);
    if (tflite == nullptr) give_up(dlerror());
    const char wrapper[] = "org_tensorflow_lite_NativeInterpreterWrapper";
    const char tensor[] = "org_tensorflow_lite_TensorImpl";
    find(library, "org_mobilebnn_NativeDelegate", "create", &create_delegate_);
    find(library, "org_mobilebnn_NativeDelegate", "destroy", &destroy_delegate_);
    find(tflite, wrapper, "createErrorReporter", &create_reporter_);
    find(tflite, wrapper, "createModelWithBuffer", &create_model_);
    find(tflite, wrapper, "createInterpreter", &create_interpreter_);
    find(tflite, wrapper, "allocateTensors", &allocate_);
    find(tflite, wrapper, "getInputCount", &input_count_);
    find(tflite, wrapper, "getOutputCount", &output_count_);
    find(tflite, wrapper, "getInputTensorIndex", &input_index_);
    find(tflite, wrapper, "getOutputTensorIndex", &output_index_);
    find(tflite, wrapper, "run", &run_);
    find(tflite, wrapper, "delete", &delete_);
    find(tflite, tensor, "create", &create_tensor_);
    find(tflite, tensor, "delete", &delete_tensor_);
    find(tflite, tensor, "numBytes", &bytes_);
    find(tflite, tensor, "writeDirectBuffer", &write_);
    find(tflite, tensor, "buffer", &buffer_);
  }

  bool create(const Job& job) override {
    delegate_ = job.delegate ? create_delegate_(env_, nullptr, job.threads, handle<jstring>(job.isa)) : 0;
    errors_ = create_reporter_(env_, nullptr, kErrorBytes);
    model_ = thrown[0] == '\0' ? create_model_(env_, nullptr, handle<jobject>(job.model), errors_) : 0;
    interpreter_ = 0;
    if (thrown[0] == '\0') {
      Object* delegates = make_list(job.delegate ? 1 : 0);
      if (job.delegate) delegates->elements[0] = make(&delegate_, sizeof delegate_);
      interpreter_ = create_interpreter_(env_, nullptr, model_, errors_, job.threads, JNI_TRUE,
                                         handle<jobject>(delegates));
      drop_all(delegates);
    }
    if (thrown[0] == '\0') allocate_(env_, nullptr, interpreter_, errors_);
    if (thrown[0] == '\0') return true;
    destroy();
    return false;
  }

  Object* buffers(bool outputs) override {
    const jint count = (outputs ? output_count_ : input_count_)(env_, nullptr, interpreter_);
    Object* list = make_list(static_cast<size_t>(count));
    for (jint i = 0; i < count; ++i) {
      const jlong tensor = open(outputs, i);
      list->elements[i] = make(nullptr, static_cast<size_t>(bytes_(env_, nullptr, tensor)));
      delete_tensor_(env_, nullptr, tensor);
    }
    return list;
  }

  void run(Object* inputs, Object* outputs) override {
    for (size_t i = 0; i < inputs->size; ++i) {
      const jlong tensor = open(false, static_cast<jint>(i));
      write_(env_, nullptr, tensor, handle<jobject>(inputs->elements[i]));
      delete_tensor_(env_, nullptr, tensor);
    }
    run_(env_, nullptr, interpreter_, errors_);
    for (size_t i = 0; i < outputs->size && thrown[0] == '\0'; ++i) {
      const jlong tensor = open(true, static_cast<jint>(i));
      Object* found = of(buffer_(env_, nullptr, tensor));
      if (found->size != outputs->elements[i]->size) give_up("an output has another size than before");
      memcpy(outputs->elements[i]->bytes, found->bytes, found->size);
      drop(found);
      delete_tensor_(env_, nullptr, tensor);
    }
  }

  void destroy() override {
    delete_(env_, nullptr, errors_, model_, interpreter_);
    if (delegate_ != 0) destroy_delegate_(env_, nullptr, delegate_);  // after the interpreter, as an app must do it
  }

 private:
  jlong open(bool output, jint i) {
    const jint index = (output ? output_index_ : input_index_)(env_, nullptr, interpreter_, i);
    return create_tensor_(env_, nullptr, interpreter_, index, 0);
  }

  JNIEnv* env_;
  jlong delegate_ = 0, errors_ = 0, model_ = 0, interpreter_ = 0;
  jlong (*create_delegate_)(JNIEnv*, jobject, jint, jstring);
  void (*destroy_delegate_)(JNIEnv*, jobject, jlong);
  jlong (*create_reporter_)(JNIEnv*, jclass, jint);
  jlong (*create_model_)(JNIEnv*, jclass, jobject, jlong);
  jlong (*create_interpreter_)(JNIEnv*, jclass, jlong, jlong, jint, jboolean, jobject);
  jlong (*allocate_)(JNIEnv*, jclass, jlong, jlong);
  jint (*input_count_)(JNIEnv*, jclass, jlong);
  jint (*output_count_)(JNIEnv*, jclass, jlong);
  jint (*input_index_)(JNIEnv*, jclass, jlong, jint);
  jint (*output_index_)(JNIEnv*, jclass, jlong, jint);
  void (*run_)(JNIEnv*, jclass, jlong, jlong);
  void (*delete_)(JNIEnv*, jclass, jlong, jlong, jlong);
  jlong (*create_tensor_)(JNIEnv*, jclass, jlong, jint, jint);
  void (*delete_tensor_)(JNIEnv*, jclass, jlong);
  jint (*bytes_)(JNIEnv*, jclass, jlong);
  void (*write_)(JNIEnv*, jclass, jlong, jobject);
  jobject (*buffer_)(JNIEnv*, jclass, jlong);
};

}  // namespace

Interpreter& tflite_interpreter(JNIEnv* env, void* library, const char* runtime) {
  static TfliteInterpreter interpreter(env, library, runtime);
  return interpreter;
}

#include <string.h>

#include "interpreters.h"

namespace {

constexpr size_t kDescribed = 3;  // type, zero point, bytes

class OwnInterpreter final : public Interpreter {
 public:
  OwnInterpreter(JNIEnv* env, void* library, const char* runtime)
      : env_(env), runtime_(make(runtime, strlen(runtime))) {
    const char type[] = "org_mobilebnn_NativeInterpreter";
    find(library, type, "create", &create_);
    find(library, type, "destroy", &destroy_);
    find(library, type, "count", &count_);
    find(library, type, "name", &name_);
    find(library, type, "describe", &describe_);
    find(library, type, "scale", &scale_);
    find(library, type, "run", &run_);
  }

  bool create(const Job& job) override {
    network_ = create_(env_, nullptr, handle<jobject>(job.model), job.threads, job.delegate, handle<jstring>(job.isa),
                       handle<jstring>(runtime_));
    if (network_ == 0 && thrown[0] == '\0') give_up("no network, and no exception");
    return network_ != 0;
  }

  Object* buffers(bool outputs) override {
    const jint count = count_(env_, nullptr, network_, outputs);
    Object* list = make_list(static_cast<size_t>(count));
    for (jint i = 0; i < count; ++i) {
      drop(of(name_(env_, nullptr, network_, outputs, i)));
      scale_(env_, nullptr, network_, outputs, i);
      Object* described = of(describe_(env_, nullptr, network_, outputs, i));
      if (described->size < kDescribed) give_up("a tensor is not described");
      list->elements[i] = make(nullptr, static_cast<size_t>(reinterpret_cast<jlong*>(described->bytes)[2]));
      drop(described);
    }
    return list;
  }

  void run(Object* inputs, Object* outputs) override {
    run_(env_, nullptr, network_, handle<jobjectArray>(inputs), handle<jobjectArray>(outputs));
  }

  void destroy() override { destroy_(env_, nullptr, network_); }

 private:
  JNIEnv* env_;
  Object* runtime_;
  jlong network_ = 0;
  jlong (*create_)(JNIEnv*, jobject, jobject, jint, jboolean, jstring, jstring);
  void (*destroy_)(JNIEnv*, jobject, jlong);
  jint (*count_)(JNIEnv*, jobject, jlong, jboolean);
  jbyteArray (*name_)(JNIEnv*, jobject, jlong, jboolean, jint);
  jlongArray (*describe_)(JNIEnv*, jobject, jlong, jboolean, jint);
  jfloat (*scale_)(JNIEnv*, jobject, jlong, jboolean, jint);
  void (*run_)(JNIEnv*, jobject, jlong, jobjectArray, jobjectArray);
};

}  // namespace

Interpreter& own_interpreter(JNIEnv* env, void* library, const char* runtime) {
  static OwnInterpreter interpreter(env, library, runtime);
  return interpreter;
}

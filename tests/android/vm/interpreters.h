// The two ways to run a model in Java, by the functions that Java calls.
#pragma once

#include "java_vm.h"

struct Job {
  Object* model;
  int threads;
  Object* isa;  // null: the best
  bool delegate;
};

class Interpreter {
 public:
  // False where Java would throw.
  virtual bool create(const Job& job) = 0;
  // A buffer for each input or output.
  virtual Object* buffers(bool outputs) = 0;
  virtual void run(Object* inputs, Object* outputs) = 0;
  virtual void destroy() = 0;

 protected:
  ~Interpreter() = default;  // there is one of each, for as long as the program runs
};

// org.mobilebnn.BnnInterpreter, with the library of that path as its runtime.
Interpreter& own_interpreter(JNIEnv* env, void* library, const char* runtime);
// org.tensorflow.lite.Interpreter, with org.mobilebnn.BnnDelegate.
Interpreter& tflite_interpreter(JNIEnv* env, void* library, const char* runtime);

// A function of a class in a library, by the name that a VM gives it.
void* java_function(void* library, const char* type, const char* name);
template <class Function>
void find(void* library, const char* type, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(java_function(library, type, name));
}

// Runs the functions for Java where no Java VM does, on emulated processors: jobs from standard input, answers to standard
// output.
//
//   java_vm LIBRARY RUNTIME INTERPRETER     (INTERPRETER: own, or tflite for TensorFlow Lite's with our delegate)
//
// A job is a line of five fields, tabs between them: the model's path; threads; the instruction set, or nothing; the path
// of its inputs, or nothing for zeros; 1 for our delegate, 0 for the runtime alone. The answer is a line: "outputs" and
// their bytes in hexadecimal, or the exception's class and message. An answer that is missing is a crash.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interpreters.h"

void* java_function(void* library, const char* type, const char* name) {
  char symbol[128];
  snprintf(symbol, sizeof symbol, "Java_%s_%s", type, name);
  void* found = dlsym(library, symbol);
  if (found == nullptr) give_up(symbol);
  return found;
}

namespace {

Object* read_file(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == nullptr) give_up(path);
  fseek(file, 0, SEEK_END);
  Object* object = make(nullptr, static_cast<size_t>(ftell(file)));
  rewind(file);
  if (fread(object->bytes, 1, object->size, file) != object->size) give_up(path);
  fclose(file);
  return object;
}

// The next bytes of the file into the buffers; false where none are left.
bool next_sample(const Object* file, size_t* at, Object* inputs) {
  for (size_t i = 0; i < inputs->size; ++i) {
    Object* input = inputs->elements[i];
    if (*at + input->size > file->size) return false;
    memcpy(input->bytes, file->bytes + *at, input->size);
    *at += input->size;
  }
  return true;
}

void print(const Object* outputs) {
  for (size_t i = 0; i < outputs->size; ++i) {
    for (size_t at = 0; at < outputs->elements[i]->size; ++at) {
      printf("%02x", static_cast<unsigned char>(outputs->elements[i]->bytes[at]));
    }
  }
}

// All samples of the file, or one of zeros.
void run(Interpreter& interpreter, const char* path) {
  Object* inputs = interpreter.buffers(false);
  Object* outputs = interpreter.buffers(true);
  Object* file = path[0] == '\0' ? nullptr : read_file(path);
  size_t at = 0;
  printf("outputs\t");
  while (file == nullptr || next_sample(file, &at, inputs)) {
    interpreter.run(inputs, outputs);
    if (thrown[0] != '\0') break;
    print(outputs);
    if (file == nullptr || at == file->size) break;
  }
  if (file != nullptr) drop(file);
  drop_all(inputs);
  drop_all(outputs);
}

void do_job(Interpreter& interpreter, char* line) {
  char* fields[5] = {};
  for (char*& field : fields) field = strsep(&line, "\t");
  if (fields[4] == nullptr) give_up("a job has too few fields");
  thrown[0] = '\0';
  const Job job = {read_file(fields[0]), atoi(fields[1]),
                   fields[2][0] == '\0' ? nullptr : make(fields[2], strlen(fields[2])), fields[4][0] == '1'};
  if (interpreter.create(job)) {
    run(interpreter, fields[3]);
    interpreter.destroy();
    if (thrown[0] != '\0') printf("\t");
  }
  printf("%s\n", thrown);
  fflush(stdout);
  drop(job.model);
  if (job.isa != nullptr) drop(job.isa);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) give_up("usage: java_vm LIBRARY RUNTIME INTERPRETER < jobs");
  void* library = dlopen(arguments[1], RTLD_NOW);
  if (library == nullptr) give_up(dlerror());
  JNINativeInterface_ table;
  fill(&table);
  JNIEnv env = {&table};
  const bool own = strcmp(arguments[3], "own") == 0;
  Interpreter& interpreter = (own ? own_interpreter : tflite_interpreter)(&env, library, arguments[2]);
  static char line[8192];
  while (fgets(line, sizeof line, stdin) != nullptr) {
    line[strcspn(line, "\n")] = '\0';
    do_job(interpreter, line);
  }
  return 0;
}

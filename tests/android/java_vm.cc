// As much of a Java VM as libmobile_bnn_jni.so calls, so that its functions for Java run where no VM does: on emulated
// processors. It reads jobs from standard input and writes what each gave.
//
//   java_vm LIBRARY RUNTIME
//
// A job is a line of five fields, tabs between them: the model's path; threads; the instruction set, or nothing; the path
// of its inputs, or nothing for zeros; 1 for our delegate, 0 for the runtime alone. The answer is a line: "outputs" and their bytes in hexadecimal, or the exception's
// class and message. An answer that is missing is a crash.
#include <dlfcn.h>
#include <jni.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

[[noreturn]] void give_up(const char* what) {
  fprintf(stderr, "java_vm: %s\n", what);
  exit(3);
}

// An object of Java's: a direct buffer, an array, a string or a class.
struct Object {
  char* bytes;
  size_t size;      // bytes of a buffer, elements of an array
  Object** elements;  // of an array of objects
};

Object* make(const void* bytes, size_t size) {
  Object* object = static_cast<Object*>(calloc(1, sizeof(Object)));
  object->bytes = static_cast<char*>(calloc(1, size + 1));
  if (bytes != nullptr) memcpy(object->bytes, bytes, size);
  object->size = size;
  return object;
}

void drop(Object* object) {
  free(object->bytes);
  free(object->elements);
  free(object);
}

Object* of(const void* handle) { return static_cast<Object*>(const_cast<void*>(handle)); }
template <class T>
T handle(Object* object) {
  return reinterpret_cast<T>(object);
}

char thrown[1200] = "";  // class and message of what Java would throw

jboolean exception_check(JNIEnv*) { return thrown[0] != '\0'; }

jclass find_class(JNIEnv*, const char* name) { return handle<jclass>(make(name, strlen(name))); }

jint throw_new(JNIEnv*, jclass type, const char* message) {
  if (thrown[0] != '\0') give_up("an exception is thrown while another one is");
  for (const char* each = message; *each != '\0'; ++each) {
    if (static_cast<unsigned char>(*each) > 0x7e || *each < 0x20) give_up("a message is not printable ASCII");
  }
  snprintf(thrown, sizeof thrown, "%s\t%s", of(type)->bytes, message);
  drop(of(type));
  return 0;
}

jstring new_string(JNIEnv*, const char* text) { return handle<jstring>(make(text, strlen(text))); }
const char* get_string(JNIEnv*, jstring string, jboolean*) { return of(string)->bytes; }
void release_string(JNIEnv*, jstring, const char*) {}
void* buffer_address(JNIEnv*, jobject buffer) { return of(buffer)->bytes; }
jlong buffer_capacity(JNIEnv*, jobject buffer) { return static_cast<jlong>(of(buffer)->size); }
jsize array_length(JNIEnv*, jarray array) { return static_cast<jsize>(of(array)->size); }
void delete_local(JNIEnv*, jobject) {}

jobject array_element(JNIEnv*, jobjectArray array, jsize i) {
  if (i < 0 || static_cast<size_t>(i) >= of(array)->size) give_up("an index is out of range");
  return handle<jobject>(of(array)->elements[i]);
}

Object* new_array(jsize size, size_t element) {
  if (size < 0) give_up("an array has a negative size");
  Object* array = make(nullptr, static_cast<size_t>(size) * element);
  array->size = static_cast<size_t>(size);
  return array;
}
jbyteArray new_bytes(JNIEnv*, jsize size) { return handle<jbyteArray>(new_array(size, sizeof(jbyte))); }
jlongArray new_longs(JNIEnv*, jsize size) { return handle<jlongArray>(new_array(size, sizeof(jlong))); }

template <class T>
void set_region(Object* array, jsize start, jsize count, const T* values) {
  if (start < 0 || count < 0 || static_cast<size_t>(start) + static_cast<size_t>(count) > array->size) {
    give_up("a region is out of range");
  }
  memcpy(array->bytes + sizeof(T) * static_cast<size_t>(start), values, sizeof(T) * static_cast<size_t>(count));
}
void set_bytes(JNIEnv*, jbyteArray array, jsize start, jsize count, const jbyte* values) {
  set_region(of(array), start, count, values);
}
void set_longs(JNIEnv*, jlongArray array, jsize start, jsize count, const jlong* values) {
  set_region(of(array), start, count, values);
}

// What the library has no business to call.
void unexpected() { give_up("a function of JNI is called that this VM has not"); }

void fill(JNINativeInterface_* table) {
  void (**each)() = reinterpret_cast<void (**)()>(table);
  for (size_t i = 0; i < sizeof *table / sizeof *each; ++i) each[i] = unexpected;
  table->ExceptionCheck = exception_check;
  table->FindClass = find_class;
  table->ThrowNew = throw_new;
  table->NewStringUTF = new_string;
  table->GetStringUTFChars = get_string;
  table->ReleaseStringUTFChars = release_string;
  table->GetDirectBufferAddress = buffer_address;
  table->GetDirectBufferCapacity = buffer_capacity;
  table->GetArrayLength = array_length;
  table->GetObjectArrayElement = array_element;
  table->DeleteLocalRef = delete_local;
  table->NewByteArray = new_bytes;
  table->NewLongArray = new_longs;
  table->SetByteArrayRegion = set_bytes;
  table->SetLongArrayRegion = set_longs;
}

// The functions of org.mobilebnn.NativeInterpreter.
struct Functions {
  jlong (*create)(JNIEnv*, jobject, jobject, jint, jboolean, jstring, jstring);
  void (*destroy)(JNIEnv*, jobject, jlong);
  jint (*count)(JNIEnv*, jobject, jlong, jboolean);
  jbyteArray (*name)(JNIEnv*, jobject, jlong, jboolean, jint);
  jlongArray (*describe)(JNIEnv*, jobject, jlong, jboolean, jint);
  jfloat (*scale)(JNIEnv*, jobject, jlong, jboolean, jint);
  void (*run)(JNIEnv*, jobject, jlong, jobjectArray, jobjectArray);
};

template <class Function>
void find(void* library, const char* name, Function* function) {
  char symbol[128];
  snprintf(symbol, sizeof symbol, "Java_org_mobilebnn_NativeInterpreter_%s", name);
  void* found = dlsym(library, symbol);
  if (found == nullptr) give_up(symbol);
  memcpy(function, &found, sizeof found);
}

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

constexpr size_t kDescribed = 3;  // type, zero point, bytes

// A buffer for each input or output, of the sizes that the library tells.
Object* buffers(const Functions& f, JNIEnv* env, jlong network, bool outputs) {
  const jint count = f.count(env, nullptr, network, outputs);
  Object* array = make(nullptr, 0);
  array->size = static_cast<size_t>(count);
  array->elements = static_cast<Object**>(calloc(static_cast<size_t>(count) + 1, sizeof(Object*)));
  for (jint i = 0; i < count; ++i) {
    drop(of(f.name(env, nullptr, network, outputs, i)));
    f.scale(env, nullptr, network, outputs, i);
    Object* described = of(f.describe(env, nullptr, network, outputs, i));
    if (described->size < kDescribed) give_up("a tensor is not described");
    array->elements[i] = make(nullptr, static_cast<size_t>(reinterpret_cast<jlong*>(described->bytes)[2]));
    drop(described);
  }
  return array;
}

void drop_all(Object* array) {
  for (size_t i = 0; i < array->size; ++i) drop(array->elements[i]);
  drop(array);
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
void run(const Functions& f, JNIEnv* env, jlong network, const char* path) {
  Object* inputs = buffers(f, env, network, false);
  Object* outputs = buffers(f, env, network, true);
  Object* file = path[0] == '\0' ? nullptr : read_file(path);
  size_t at = 0;
  printf("outputs\t");
  while (file == nullptr || next_sample(file, &at, inputs)) {
    f.run(env, nullptr, network, handle<jobjectArray>(inputs), handle<jobjectArray>(outputs));
    if (thrown[0] != '\0') break;
    print(outputs);
    if (file == nullptr || at == file->size) break;
  }
  if (file != nullptr) drop(file);
  drop_all(inputs);
  drop_all(outputs);
}

void do_job(const Functions& f, JNIEnv* env, Object* runtime, char* line) {
  char* fields[5] = {};
  for (char*& field : fields) field = strsep(&line, "\t");
  if (fields[4] == nullptr) give_up("a job has too few fields");
  thrown[0] = '\0';
  Object* model = read_file(fields[0]);
  Object* isa = fields[2][0] == '\0' ? nullptr : make(fields[2], strlen(fields[2]));
  const jlong network = f.create(env, nullptr, handle<jobject>(model), atoi(fields[1]), fields[4][0] == '1',
                                 handle<jstring>(isa), handle<jstring>(runtime));
  if (network != 0) {
    run(f, env, network, fields[3]);
    f.destroy(env, nullptr, network);
    if (thrown[0] != '\0') printf("\t");
  } else if (thrown[0] == '\0') {
    give_up("no network, and no exception");
  }
  printf("%s\n", thrown);
  fflush(stdout);
  drop(model);
  if (isa != nullptr) drop(isa);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) give_up("usage: java_vm LIBRARY RUNTIME < jobs");
  void* library = dlopen(arguments[1], RTLD_NOW);
  if (library == nullptr) give_up(dlerror());
  Functions functions;
  find(library, "create", &functions.create);
  find(library, "destroy", &functions.destroy);
  find(library, "count", &functions.count);
  find(library, "name", &functions.name);
  find(library, "describe", &functions.describe);
  find(library, "scale", &functions.scale);
  find(library, "run", &functions.run);
  JNINativeInterface_ table;
  fill(&table);
  JNIEnv env = {&table};
  Object* runtime = make(arguments[2], strlen(arguments[2]));
  static char line[8192];
  while (fgets(line, sizeof line, stdin) != nullptr) {
    line[strcspn(line, "\n")] = '\0';
    do_job(functions, &env, runtime, line);
  }
  return 0;
}

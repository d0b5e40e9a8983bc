#include "java_vm.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void give_up(const char* what) {
  fprintf(stderr, "java_vm: %s\n", what);
  exit(3);
}

Object* make(const void* bytes, size_t size) {
  Object* object = static_cast<Object*>(calloc(1, sizeof(Object)));
  object->bytes = static_cast<char*>(calloc(1, size + 1));
  if (bytes != nullptr) memcpy(object->bytes, bytes, size);
  object->size = size;
  return object;
}

Object* make_list(size_t size) {
  Object* list = make(nullptr, 0);
  list->size = size;
  list->elements = static_cast<Object**>(calloc(size + 1, sizeof(Object*)));
  return list;
}

void drop(Object* object) {
  free(object->bytes);
  free(object->elements);
  free(object);
}

void drop_all(Object* list) {
  for (size_t i = 0; i < list->size; ++i) drop(list->elements[i]);
  drop(list);
}

char thrown[1200] = "";

namespace {

jboolean exception_check(JNIEnv*) { return thrown[0] != '\0'; }

jclass find_class(JNIEnv*, const char* name) { return handle<jclass>(make(name, strlen(name))); }

jint throw_new(JNIEnv*, jclass type, const char* message) {
  if (thrown[0] != '\0') give_up("an exception is thrown while another one is");
  snprintf(thrown, sizeof thrown, "%s\t%s", of(type)->bytes, message);
  for (char* each = thrown; *each != '\0'; ++each) {
    // Android's VM ends a program that makes a string of bytes that are none.
    if (static_cast<unsigned char>(*each) > 0x7e) give_up("a message is not ASCII");
    if (*each == '\n') *each = ' ';
  }
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
jobject new_global(JNIEnv*, jobject object) { return object; }

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

// What TensorFlow Lite calls of java.util.List and java.lang.Long: a method is known by its name.
jmethodID get_method(JNIEnv*, jclass, const char* name, const char*) { return handle<jmethodID>(make(name, strlen(name))); }
bool is(jmethodID method, const char* name) { return strcmp(of(method)->bytes, name) == 0; }

jint call_int(JNIEnv*, jobject object, jmethodID method, va_list) {
  if (!is(method, "size")) give_up("a method is called that returns an int, and is not size()");
  return static_cast<jint>(of(object)->size);
}
jobject call_object(JNIEnv*, jobject object, jmethodID method, va_list arguments) {
  const jint i = va_arg(arguments, jint);
  if (!is(method, "get") || static_cast<size_t>(i) >= of(object)->size) give_up("an object is asked for, not by get()");
  return handle<jobject>(of(object)->elements[i]);
}
jlong call_long(JNIEnv*, jobject object, jmethodID method, va_list) {
  if (!is(method, "longValue")) give_up("a method is called that returns a long, and is not longValue()");
  jlong value;
  memcpy(&value, of(object)->bytes, sizeof value);
  return value;
}
jobject new_buffer(JNIEnv*, void* address, jlong size) {
  return handle<jobject>(make(address, static_cast<size_t>(size)));  // a copy, which is enough to read
}

// What the libraries have no business to call.
void unexpected() { give_up("a function of JNI is called that this VM has not"); }

}  // namespace

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
  table->NewGlobalRef = new_global;
  table->NewByteArray = new_bytes;
  table->NewLongArray = new_longs;
  table->SetByteArrayRegion = set_bytes;
  table->SetLongArrayRegion = set_longs;
  table->GetMethodID = get_method;
  table->CallIntMethodV = call_int;
  table->CallObjectMethodV = call_object;
  table->CallLongMethodV = call_long;
  table->NewDirectByteBuffer = new_buffer;
}

// As much of a Java VM as the libraries call: objects, exceptions, and the table of JNI's functions.
#pragma once

#include <jni.h>
#include <stddef.h>

[[noreturn]] void give_up(const char* what);

// An object of Java's: a direct buffer, a number, a string, a class, an array or a list.
struct Object {
  char* bytes;
  size_t size;        // bytes of a buffer, elements of an array or a list
  Object** elements;  // of an array of objects, and of a list
};

Object* make(const void* bytes, size_t size);
Object* make_list(size_t size);  // of objects, which are to be put into it
void drop(Object* object);
void drop_all(Object* list);  // and what is in it

inline Object* of(const void* handle) { return static_cast<Object*>(const_cast<void*>(handle)); }
template <class T>
T handle(Object* object) {
  return reinterpret_cast<T>(object);
}

extern char thrown[1200];  // class and message of what Java would throw, a tab between them

void fill(JNINativeInterface_* table);

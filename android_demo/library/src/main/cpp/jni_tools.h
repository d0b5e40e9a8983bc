// What every function for Java needs: exceptions with a message that Java can hold, and strings.
#pragma once

#include <jni.h>
#include <stddef.h>

namespace mbnn {

constexpr char kInvalidModel[] = "org/mobilebnn/InvalidModelException";
constexpr char kIllegalArgument[] = "java/lang/IllegalArgumentException";
constexpr char kIllegalState[] = "java/lang/IllegalStateException";
constexpr char kOutOfMemory[] = "java/lang/OutOfMemoryError";

// Lets Java throw once the function returns. Bytes of the message that are not printable ASCII become question marks: a
// file's names may be in it, and Android ends a program that makes a string of bytes that are none.
void throw_java(JNIEnv* env, const char* type, const char* format, ...) __attribute__((format(printf, 3, 4)));

// A Java string's characters while this lives; null for null, and where Java has thrown.
class Text {
 public:
  Text(JNIEnv* env, jstring string);
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text();

  const char* get() const { return characters_; }

 private:
  JNIEnv* env_;
  jstring string_;
  const char* characters_;
};

}  // namespace mbnn

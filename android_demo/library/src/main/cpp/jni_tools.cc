#include "jni_tools.h"

#include <stdarg.h>
#include <stdio.h>

namespace mbnn {

void throw_java(JNIEnv* env, const char* type, const char* format, ...) {
  if (env->ExceptionCheck()) return;  // the first says what happened
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  for (char* each = message; *each != '\0'; ++each) {
    if (*each < 0x20 || *each > 0x7e) *each = '?';
  }
  jclass exception = env->FindClass(type);
  if (exception != nullptr) env->ThrowNew(exception, message);  // else Java has thrown that there is no such class
}

Text::Text(JNIEnv* env, jstring string)
    : env_(env), string_(string), characters_(string == nullptr ? nullptr : env->GetStringUTFChars(string, nullptr)) {}

Text::~Text() {
  if (characters_ != nullptr) env_->ReleaseStringUTFChars(string_, characters_);
}

}  // namespace mbnn

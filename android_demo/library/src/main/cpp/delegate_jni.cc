// org.mobilebnn.NativeDelegate: the delegate as a number that TFLite's Java API takes.
#include "jni_tools.h"
#include "own_delegate.h"

extern "C" {

JNIEXPORT jlong JNICALL Java_org_mobilebnn_NativeDelegate_create(JNIEnv* env, jobject, jint threads, jstring isa) {
  const mbnn::Text name(env, isa);
  if (isa != nullptr && name.get() == nullptr) return 0;
  char why[256];
  TfLiteDelegate* delegate = mbnn::create_delegate(threads, name.get(), why, sizeof why);
  if (delegate == nullptr) mbnn::throw_java(env, mbnn::kIllegalArgument, "%s", why);
  return reinterpret_cast<jlong>(delegate);
}

JNIEXPORT void JNICALL Java_org_mobilebnn_NativeDelegate_destroy(JNIEnv*, jobject, jlong delegate) {
  mbnn::destroy_delegate(reinterpret_cast<TfLiteDelegate*>(delegate));
}

JNIEXPORT jstring JNICALL Java_org_mobilebnn_NativeDelegate_version(JNIEnv* env, jobject) {
  return env->NewStringUTF(mbnn::version());
}

JNIEXPORT jstring JNICALL Java_org_mobilebnn_NativeDelegate_kernel(JNIEnv* env, jobject) {
  return env->NewStringUTF(mbnn::default_isa());
}
}

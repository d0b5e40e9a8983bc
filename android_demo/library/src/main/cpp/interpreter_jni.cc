// org.mobilebnn.NativeInterpreter: a network as a number, its tensors, and inferences on direct buffers.
#include "jni_tools.h"
#include "memory.h"
#include "network.h"

namespace mbnn {
namespace {

Network* network_of(jlong handle) { return reinterpret_cast<Network*>(handle); }

void throw_trouble(JNIEnv* env, const Trouble& trouble) {
  const char* type = kIllegalState;
  if (trouble.kind == Trouble::kModel) type = kInvalidModel;
  if (trouble.kind == Trouble::kOption) type = kIllegalArgument;
  if (trouble.kind == Trouble::kMemory) type = kOutOfMemory;
  throw_java(env, type, "%s", trouble.text);
}

struct Bytes {
  void* data;
  size_t size;
};

// The memory of element `i`, a direct buffer.
Bytes bytes_of(JNIEnv* env, jobjectArray buffers, int i) {
  jobject buffer = env->GetObjectArrayElement(buffers, i);
  const Bytes bytes = {env->GetDirectBufferAddress(buffer), static_cast<size_t>(env->GetDirectBufferCapacity(buffer))};
  env->DeleteLocalRef(buffer);
  return bytes;
}

bool have_counts(JNIEnv* env, const Network& network, jobjectArray inputs, jobjectArray outputs, Trouble* trouble) {
  const int given = env->GetArrayLength(inputs), taken = env->GetArrayLength(outputs);
  return (given == network.count(false) && taken == network.count(true)) ||
         trouble->set(Trouble::kOption, "the model has %d inputs and %d outputs, not %d and %d", network.count(false),
                      network.count(true), given, taken);
}

bool run(JNIEnv* env, Network* network, jobjectArray inputs, jobjectArray outputs, Trouble* trouble) {
  if (!have_counts(env, *network, inputs, outputs, trouble)) return false;
  for (int i = 0; i < network->count(false); ++i) {
    const Bytes bytes = bytes_of(env, inputs, i);  // -1 as the size of what is not a direct buffer, which fits no tensor
    if (!network->set_input(i, bytes.data, bytes.size, trouble)) return false;
  }
  if (!network->invoke(trouble)) return false;
  for (int i = 0; i < network->count(true); ++i) {
    const Bytes bytes = bytes_of(env, outputs, i);
    if (!network->get_output(i, bytes.data, bytes.size, trouble)) return false;
  }
  return true;
}

}  // namespace
}  // namespace mbnn

extern "C" {

JNIEXPORT jlong JNICALL Java_org_mobilebnn_NativeInterpreter_create(JNIEnv* env, jobject, jobject model, jint threads,
                                                                    jboolean delegate, jstring isa, jstring runtime) {
  const mbnn::Text isa_name(env, isa), runtime_name(env, runtime);
  if ((isa != nullptr && isa_name.get() == nullptr) || (runtime != nullptr && runtime_name.get() == nullptr)) return 0;
  const void* bytes = env->GetDirectBufferAddress(model);
  const size_t size = static_cast<size_t>(env->GetDirectBufferCapacity(model));
  mbnn::Network* network = mbnn::create<mbnn::Network>();
  mbnn::Trouble trouble;
  const mbnn::Network::Options options = {threads, delegate != JNI_FALSE, isa_name.get(), runtime_name.get()};
  if (network == nullptr) {
    trouble.set(mbnn::Trouble::kMemory, "out of memory");
  } else if (bytes == nullptr) {
    trouble.set(mbnn::Trouble::kOption, "the model is not in a direct buffer");
  } else if (network->load(bytes, size, options, &trouble)) {
    return reinterpret_cast<jlong>(network);
  }
  mbnn::destroy(network);
  mbnn::throw_trouble(env, trouble);
  return 0;
}

JNIEXPORT void JNICALL Java_org_mobilebnn_NativeInterpreter_destroy(JNIEnv*, jobject, jlong handle) {
  mbnn::destroy(mbnn::network_of(handle));
}

JNIEXPORT jstring JNICALL Java_org_mobilebnn_NativeInterpreter_runtimeVersion(JNIEnv* env, jobject, jlong handle) {
  return env->NewStringUTF(mbnn::network_of(handle)->tflite().version());
}

JNIEXPORT jint JNICALL Java_org_mobilebnn_NativeInterpreter_count(JNIEnv*, jobject, jlong handle, jboolean outputs) {
  return mbnn::network_of(handle)->count(outputs != JNI_FALSE);
}

JNIEXPORT jbyteArray JNICALL Java_org_mobilebnn_NativeInterpreter_name(JNIEnv* env, jobject, jlong handle,
                                                                       jboolean outputs, jint i) {
  const mbnn::Network* network = mbnn::network_of(handle);
  const char* name = network->tflite().name(network->tensor(outputs != JNI_FALSE, i));
  if (name == nullptr) name = "";
  const jsize size = static_cast<jsize>(strlen(name));
  jbyteArray bytes = env->NewByteArray(size);
  if (bytes != nullptr) env->SetByteArrayRegion(bytes, 0, size, reinterpret_cast<const jbyte*>(name));
  return bytes;
}

// The type, the zero point, the bytes, then the shape.
JNIEXPORT jlongArray JNICALL Java_org_mobilebnn_NativeInterpreter_describe(JNIEnv* env, jobject, jlong handle,
                                                                           jboolean outputs, jint i) {
  const mbnn::Network* network = mbnn::network_of(handle);
  const mbnn::TfLite& tflite = network->tflite();
  const TfLiteTensor* tensor = network->tensor(outputs != JNI_FALSE, i);
  const int32_t dims = tflite.num_dims(tensor);
  const jlong facts[] = {tflite.type(tensor), tflite.quantization(tensor).zero_point,
                         static_cast<jlong>(tflite.bytes(tensor))};
  jlongArray described = env->NewLongArray(3 + (dims < 0 ? 0 : dims));
  if (described == nullptr) return nullptr;
  env->SetLongArrayRegion(described, 0, 3, facts);
  for (int32_t at = 0; at < dims; ++at) {
    const jlong size = tflite.dim(tensor, at);
    env->SetLongArrayRegion(described, 3 + at, 1, &size);
  }
  return described;
}

JNIEXPORT jfloat JNICALL Java_org_mobilebnn_NativeInterpreter_scale(JNIEnv*, jobject, jlong handle, jboolean outputs,
                                                                    jint i) {
  const mbnn::Network* network = mbnn::network_of(handle);
  return network->tflite().quantization(network->tensor(outputs != JNI_FALSE, i)).scale;
}

JNIEXPORT void JNICALL Java_org_mobilebnn_NativeInterpreter_run(JNIEnv* env, jobject, jlong handle,
                                                                jobjectArray inputs, jobjectArray outputs) {
  mbnn::Trouble trouble;
  if (!mbnn::run(env, mbnn::network_of(handle), inputs, outputs, &trouble)) mbnn::throw_trouble(env, trouble);
}
}

// The few C structs of TFLite's delegate ABI that this library needs, declared here so that no TFLite header is.
//
// Field order is what makes two runtimes compatible: TFLite only ever appends. What we never touch is `Unused`.
// Layouts hold for TensorFlow 2.14 to 2.21 and ai-edge-litert 1.0 to 2.3 on 64-bit Linux and Android.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

enum TfLiteType { kTfLiteNoType = 0, kTfLiteFloat32 = 1, kTfLiteInt32 = 2, kTfLiteBool = 6, kTfLiteInt8 = 9 };

enum TfLiteAllocationType { kTfLiteMmapRo = 1, kTfLitePersistentRo = 5 };

enum { kTfLiteDelegateFlagsAllowDynamicTensors = 1 };

enum {
  kTfLiteBuiltinAdd = 0,
  kTfLiteBuiltinMaxPool2d = 17,
  kTfLiteBuiltinMul = 18,
  kTfLiteBuiltinRelu = 19,
  kTfLiteBuiltinReluN1To1 = 20,
  kTfLiteBuiltinRelu6 = 21,
  kTfLiteBuiltinCustom = 32,
  kTfLiteBuiltinSub = 41,
  kTfLiteBuiltinPrelu = 54,
  kTfLiteBuiltinBatchMatMul = 126
};

// Fused activations, of LCE's operators too.
enum TfLiteFusedActivation { kTfLiteActNone = 0, kTfLiteActRelu = 1, kTfLiteActReluN1To1 = 2, kTfLiteActRelu6 = 3 };

// The first field of the options of ADD, SUB and MUL; others follow.
struct TfLiteArithmeticParams {
  int32_t activation;  // a TfLiteFusedActivation; runtimes know more of them than the enum above
};

// The options of MAX_POOL_2D; others follow.
struct TfLitePoolParams {
  int32_t padding;  // a TfLitePadding
  int stride_width, stride_height;
  int filter_width, filter_height;
  int32_t activation;
};

// The first fields of the options of BATCH_MATMUL; others follow.
struct TfLiteBatchMatMulParams {
  bool adj_x, adj_y;  // whether the last two axes of an operand are swapped first
};

enum TfLitePadding { kTfLitePaddingSame = 1, kTfLitePaddingValid = 2 };

// An index of this value in a node's inputs is an input that was left out.
enum { kTfLiteOptionalTensor = -1 };

typedef void (*Unused)();

struct TfLiteContext;
struct TfLiteDelegate;
struct TfLiteNode;

struct TfLiteIntArray {
  int size;
  int data[];
};

struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
};

struct TfLiteQuantization {
  int type;
  void* params;
};

struct TfLiteTensor {
  int32_t type;  // a TfLiteType; runtimes know more of them than the enum above
  void* data;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  int32_t allocation_type;  // a TfLiteAllocationType
  size_t bytes;
  const void* allocation;
  const char* name;
  TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  TfLiteQuantization quantization;
  void* sparsity;
  const TfLiteIntArray* dims_signature;
};

struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
  TfLiteDelegate* delegate;
  bool might_have_side_effect;
};

// Passed by value, so its size counts: runtimes older than `inplace_operator` read a prefix of it.
struct TfLiteRegistration {
  void* (*init)(TfLiteContext*, const char* buffer, size_t length);
  void (*free)(TfLiteContext*, void* buffer);
  TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*);
  TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*);
  const char* (*profiling_string)(const TfLiteContext*, const TfLiteNode*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  Unused async_kernel;
  uint64_t inplace_operator;
};

// What `init` of a delegate kernel gets as its buffer.
struct TfLiteDelegateParams {
  TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;
  TfLiteIntArray* output_tensors;
};

struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext*, TfLiteIntArray** plan);
  TfLiteTensor* tensors;
  void* impl;
  // Frees the shape with free().
  TfLiteStatus (*ResizeTensor)(TfLiteContext*, TfLiteTensor*, TfLiteIntArray* shape);
  void (*ReportError)(TfLiteContext*, const char* format, ...);
  Unused AddTensors;
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext*, int index, TfLiteNode**, TfLiteRegistration**);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext*, TfLiteRegistration, const TfLiteIntArray* nodes,
                                                        TfLiteDelegate*);
  // More follows that we never touch; ResizeTensorExplicit, further down, is null in LiteRT.
};

struct TfLiteDelegate {
  void* data;
  TfLiteStatus (*Prepare)(TfLiteContext*, TfLiteDelegate*);
  Unused CopyFromBufferHandle;
  Unused CopyToBufferHandle;
  Unused FreeBufferHandle;
  int64_t flags;
  void* opaque_delegate_builder;
};

}  // extern "C"

#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(TfLiteTensor) == 112 && offsetof(TfLiteTensor, bytes) == 40, "TfLiteTensor");
static_assert(sizeof(TfLiteNode) == 80 && offsetof(TfLiteNode, custom_initial_data_size) == 56, "TfLiteNode");
static_assert(sizeof(TfLiteRegistration) == 88, "TfLiteRegistration");
static_assert(offsetof(TfLiteContext, ReplaceNodeSubsetsWithDelegateKernels) == 64, "TfLiteContext");
static_assert(sizeof(TfLiteDelegate) == 56, "TfLiteDelegate");
#endif

// How the fake runtime reads a model, piece by piece, from a fuzzer's bytes; seeds.py writes the same format.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include <vector>

#include "byte_reader.h"
#include "delegate/tflite_abi.h"

namespace mbnn::fuzz {

inline constexpr int kMostTensors = 32, kMostNodes = 12, kMostInputs = 8, kMostOutputs = 3, kMostRank = 11;
inline constexpr size_t kMostBytes = 16 << 10;      // of a tensor that the arena can hold
inline constexpr size_t kMostFileBytes = 64 << 10;  // of a constant

struct Kind {
  int builtin_code;
  const char* custom_name;
};
inline constexpr Kind kKinds[] = {
    {kTfLiteBuiltinCustom, "LceQuantize"},
    {kTfLiteBuiltinCustom, "LceDequantize"},
    {kTfLiteBuiltinCustom, "LceBconv2d"},
    {kTfLiteBuiltinCustom, "LceBMaxPool2d"},
    {kTfLiteBuiltinCustom, "Foreign"},
    {kTfLiteBuiltinAdd, nullptr},
    {kTfLiteBuiltinSub, nullptr},
    {kTfLiteBuiltinMul, nullptr},
    {kTfLiteBuiltinPrelu, nullptr},
    {kTfLiteBuiltinRelu, nullptr},
    {kTfLiteBuiltinReluN1To1, nullptr},
    {kTfLiteBuiltinRelu6, nullptr},
    {kTfLiteBuiltinMaxPool2d, nullptr},
    {kTfLiteBuiltinBatchMatMul, nullptr},
};
inline constexpr int kTypes[] = {kTfLiteNoType, kTfLiteFloat32, kTfLiteInt32, kTfLiteBool, kTfLiteInt8, 10 /* float16 */};
inline constexpr float kScales[] = {0.0f, 0.03f, 1.0f, -1.0f, NAN, INFINITY, 1e-40f, 3e38f};
inline constexpr int kZeroPoints[] = {0, -7, 127, -128, 200, INT32_MIN, INT32_MAX, 5};
// The first of these stands for the byte 248; smaller bytes stand for themselves.
inline constexpr int kAbsurdDims[] = {-1, INT32_MIN, INT32_MAX, 1 << 30, 1 << 16, 46341, 1000, (1 << 28) + 1};
inline constexpr int kFirstAbsurdDim = 248;

inline int read_dim(ByteReader& model) {
  const int byte = model.byte();
  return byte < kFirstAbsurdDim ? byte : kAbsurdDims[byte - kFirstAbsurdDim];
}

inline std::vector<int> read_shape(ByteReader& model) {
  std::vector<int> shape(model.below(kMostRank));
  for (int& dim : shape) dim = read_dim(model);
  return shape;
}

// What the runtime made of a builtin operator's options: it keeps enumerations in their range, and nothing else. PRELU and
// others have none.
inline std::vector<int32_t> read_builtin_options(int builtin_code, ByteReader& model) {
  if (builtin_code == kTfLiteBuiltinBatchMatMul) {
    const int adjoint = model.below(4);  // two bools, the first in the lowest byte
    return {(adjoint & 1) | (adjoint & 2) << 7};
  }
  const int activation = model.below(7);
  if (builtin_code != kTfLiteBuiltinMaxPool2d) return {activation, 0};  // of arithmetic
  std::vector<int32_t> pool = {static_cast<int32_t>(model.below(3)), 0, 0, 0, 0, activation};
  for (int i = 1; i <= 4; ++i) pool[i] = read_dim(model);
  return pool;
}

inline size_t element_bytes(int type) {
  switch (type) {
    case kTfLiteFloat32:
    case kTfLiteInt32: return 4;
    case 10: return 2;
    default: return 1;
  }
}

// As the runtime counts: negative numbers are huge. False if the product does not fit.
inline bool bytes_required(int type, const std::vector<int>& shape, size_t* bytes) {
  size_t product = element_bytes(type);
  for (int dim : shape) {
    if (__builtin_mul_overflow(product, static_cast<size_t>(dim), &product)) return false;
  }
  *bytes = product;
  return true;
}

// 0 and 1 are all bits clear and all set (a NaN); others stand for random numbers of their own.
inline void fill(uint8_t* bytes, size_t size, uint8_t pattern) {
  uint32_t state = pattern;
  for (size_t i = 0; i < size; ++i) {
    state = state * 1664525 + 1013904223;
    bytes[i] = pattern < 2 ? static_cast<uint8_t>(-pattern) : static_cast<uint8_t>(state >> 24);
  }
}

}  // namespace mbnn::fuzz

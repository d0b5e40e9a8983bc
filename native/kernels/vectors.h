// The widest vectors of the instruction set that a file is compiled for, in the compilers' own spelling.
#pragma once

#include <stdint.h>
#include <string.h>

namespace mbnn {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t Integers __attribute__((vector_size(kLanes * sizeof(int32_t))));

template <class Vector>
inline Vector load(const void* from) {
  Vector vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}

template <class Vector>
inline void store(const Vector& vector, void* to) {
  memcpy(to, &vector, sizeof vector);
}

}  // namespace
}  // namespace mbnn

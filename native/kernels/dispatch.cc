// Chooses the kernels at run time, by what the CPU says it has.
#include <string.h>

#include "kernels/kernels.h"

namespace mbnn {
namespace {

// Best first.
const Kernels* const kAll[] = {
#if defined(__x86_64__)
    &kAvx512Kernels,
    &kAvx2Kernels,
#endif
    &kPortableKernels,
};

}  // namespace

const Kernels* find_kernels(const char* name) {
  for (const Kernels* kernels : kAll) {
    if (name == nullptr ? kernels->cpu_has_it() : strcmp(kernels->name, name) == 0) return kernels;
  }
  return nullptr;
}

const char* kernel_names() {
#if defined(__x86_64__)
  return "avx512, avx2, portable";
#else
  return "portable";
#endif
}

}  // namespace mbnn

// Chooses the kernels at run time, by what the CPU says it has.
#include <stdio.h>
#include <string.h>

#include "kernels/kernels.h"

namespace mbnn {
namespace {

// Best first.
const Kernels* const kAll[] = {
#if defined(MBNN_X86_KERNELS)
    &kAvx512Kernels,   &kAvx2Kernels, &kSse4Kernels,
#endif
#if defined(MBNN_ARM_KERNELS)
    &kNeonDotKernels,  &kNeonKernels,
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

void kernel_names(char* names, size_t size) {
  const char* separator = "";
  for (const Kernels* kernels : kAll) {
    const size_t used = static_cast<size_t>(snprintf(names, size, "%s%s", separator, kernels->name));
    if (used >= size) return;
    names += used;
    size -= used;
    separator = ", ";
  }
}

}  // namespace mbnn

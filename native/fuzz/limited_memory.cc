// Replaces malloc and posix_memalign by the linker's --wrap. Code that uses `new` never comes here.
#include "limited_memory.h"

#include <errno.h>
#include <stddef.h>

extern "C" void* __real_malloc(size_t size);
extern "C" int __real_posix_memalign(void** memory, size_t alignment, size_t size);

namespace mbnn::fuzz {
namespace {

constexpr size_t kLargest = 128 << 10;

// Only the thread that prepares operators allocates.
thread_local bool limited = false;
thread_local int until_failure = 0;

bool fails(size_t size) { return limited && (size > kLargest || --until_failure == 0); }

}  // namespace

LimitedMemory::LimitedMemory(int failing) {
  limited = true;
  until_failure = failing;
}

LimitedMemory::~LimitedMemory() { limited = false; }

}  // namespace mbnn::fuzz

extern "C" void* __wrap_malloc(size_t size) { return mbnn::fuzz::fails(size) ? nullptr : __real_malloc(size); }

extern "C" int __wrap_posix_memalign(void** memory, size_t alignment, size_t size) {
  return mbnn::fuzz::fails(size) ? ENOMEM : __real_posix_memalign(memory, alignment, size);
}

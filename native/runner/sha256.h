// SHA-256 (FIPS 180-4) of a block of memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace mbnn {

// Writes 64 hexadecimal digits and a zero.
void sha256(const uint8_t* bytes, size_t count, char* digits);

}  // namespace mbnn

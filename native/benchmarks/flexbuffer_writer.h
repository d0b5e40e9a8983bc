// Writes an operator's options: a flexbuffer map of small integers.
#pragma once

#include <stdint.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// Four bytes wide: the keys' characters, a vector of offsets back to them, then the values and their types.
inline std::vector<uint8_t> write_flexbuffer_map(std::vector<std::pair<std::string, int>> entries) {
  constexpr uint8_t kInt = 1 << 2 | 2, kMap = 9 << 2 | 2;  // type << 2 | log2 of the width
  std::vector<uint8_t> bytes;
  const auto put = [&bytes](size_t value) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(value >> 8 * i));
  };
  std::sort(entries.begin(), entries.end());
  std::vector<size_t> keys;
  for (const auto& entry : entries) {
    keys.push_back(bytes.size());
    bytes.insert(bytes.end(), entry.first.c_str(), entry.first.c_str() + entry.first.size() + 1);
  }
  bytes.resize((bytes.size() + 3) / 4 * 4);
  put(entries.size());
  const size_t key_vector = bytes.size();
  for (const size_t key : keys) put(bytes.size() - key);
  put(bytes.size() - key_vector);
  put(4);  // bytes of an offset in the vector of keys
  put(entries.size());
  const size_t values = bytes.size();
  for (const auto& entry : entries) put(static_cast<size_t>(entry.second));
  bytes.insert(bytes.end(), entries.size(), kInt);
  while (bytes.size() % 4 != 0) bytes.push_back(0);
  put(bytes.size() - values);
  bytes.push_back(kMap);
  bytes.push_back(4);
  return bytes;
}

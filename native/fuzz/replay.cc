// Runs the inputs of a fuzz target, each many times: `replay_delegate TIMES FILE...`. Under the leak sanitizer, which
// looks when the program ends, a thousand rounds of create, invoke and destroy show every leak; under the thread
// sanitizer they show races.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s TIMES FILE...\n", argv[0]);
    return 2;
  }
  const int times = atoi(argv[1]);
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      fprintf(stderr, "cannot read %s\n", argv[i]);
      return 2;
    }
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (int round = 0; round < times; ++round) {
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    }
  }
  printf("%d inputs, %d times each\n", argc - 2, times);
}

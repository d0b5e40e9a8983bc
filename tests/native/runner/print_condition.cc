// Prints what the runner says of a tree of files like /sys: `print_condition FOLDER [CPU...]`.
#include <stdio.h>
#include <stdlib.h>

#include "runner/condition.h"

int main(int count, char** arguments) {
  double cpus[64];
  int number = 0;
  for (int i = 2; i < count && number < 64; ++i) cpus[number++] = atoi(arguments[i]);
  mbnn::Text text;
  mbnn::write_condition(arguments[1], cpus, number, &text);
  printf("%s\n", text.data());
}

// TFLite's rule for windows.
#include "delegate/window.h"

namespace mbnn {

bool Window::slide(int input, bool same) {
  const int64_t extent = (static_cast<int64_t>(size) - 1) * dilation + 1;
  const int64_t room = same ? static_cast<int64_t>(input) - 1 : input - extent;
  if (room < 0) return false;
  output = static_cast<int>(room / stride + 1);
  const int64_t padding = (static_cast<int64_t>(output) - 1) * stride + extent - input;
  before = same && padding > 0 ? padding / 2 : 0;
  return true;
}

}  // namespace mbnn

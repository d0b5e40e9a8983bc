// A run of LCE's operators that the runtime replaced by one node: the delegate kernel.
#pragma once

#include "delegate/operator.h"

namespace mbnn {

// The registration that the runtime makes one node of for each partition. Delegate::data must be a Machine.
TfLiteRegistration partition_registration();

}  // namespace mbnn

// Which operators of a model the delegate takes.
#pragma once

#include "delegate/tflite_abi.h"
#include "memory.h"

namespace mbnn {

// Node indices in TfLiteIntArray's layout, size first. False, reported, if the runtime fails or memory runs out.
bool claim_nodes(TfLiteContext* context, Array<int>* claimed);

}  // namespace mbnn

#include "core/log/transfer_join.h"

#include "core/log/extended_transfers.h"
#include "core/log/strict_transfers.h"

namespace ftpsensor {

std::unique_ptr<TransferJoin> TransferJoin::make(const TransferOptions& options, EventCounters& events) {
    if (options.extended) return std::make_unique<ExtendedTransfers>(options, events);
    return std::make_unique<StrictTransfers>(options, events);
}

} // namespace ftpsensor

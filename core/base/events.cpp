#include "core/base/events.h"

namespace ftpsensor {

namespace {
constexpr std::string_view kNames[] = {
#define X(name) #name,
    FTPSENSOR_EVENTS(X)
#undef X
};
} // namespace

std::string_view event_name(Event event) { return kNames[static_cast<std::size_t>(event)]; }

} // namespace ftpsensor

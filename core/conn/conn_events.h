// Named events of connections: counted, with the uid of the first connection that showed each. Worker's thread only.
#pragma once

#include "core/base/events.h"
#include "core/conn/connection.h"

namespace ftpsensor {

class ConnEvents {
public:
    ConnEvents(EventCounters& counters, const IdKey& key) : counters_(counters), key_(key) {}
    void count(const Connection& c, Event event) const {
        counters_.count(event);
        keep_example(c, event);
    }
    void keep_example(const Connection& c, Event event) const {
        if (counters_.wants_example(event)) [[unlikely]]
            counters_.keep_example(event, connection_uid(key_, c.identity()));
    }
    EventCounters& counters() const { return counters_; }

private:
    EventCounters& counters_;
    IdKey key_;
};

} // namespace ftpsensor

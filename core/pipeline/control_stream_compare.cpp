// Who says other bytes for the numbers of a control connection's stream.
#include "core/base/sequence.h"
#include "core/pipeline/control_stream.h"

#include <algorithm>
#include <cstring>

namespace ftpsensor {

namespace {

// Where both have bytes, from number `from` on, they are not the same. By distances from `known_seq`, since "before" of
// numbers that wrap does not carry from two pairs to a third.
bool differ(std::uint32_t seq, std::span<const std::uint8_t> data, std::uint32_t known_seq,
            std::span<const std::uint8_t> known, std::uint32_t from) {
    const std::int64_t begin = seq_distance(seq, known_seq);
    const std::int64_t first = seq_distance(from, known_seq);
    const std::int64_t lower = std::max({std::int64_t{0}, begin, first});
    const std::int64_t upper =
        std::min(static_cast<std::int64_t>(known.size()), begin + static_cast<std::int64_t>(data.size()));
    if (lower >= upper) return false;
    return std::memcmp(&data[static_cast<std::size_t>(lower - begin)], &known[static_cast<std::size_t>(lower)],
                       static_cast<std::size_t>(upper - lower)) != 0;
}

} // namespace

void ControlStream::acknowledged(unsigned side, std::uint32_t seq) {
    told_anew_ |= !held_.empty() && acked_[side] != seq;
    acked_[side] = seq;
    std::string& kept = delivered_[side];
    const std::uint32_t first = next_[side] - static_cast<std::uint32_t>(kept.size());
    if (seq_before(first, seq)) kept.erase(0, seq - first);
}

bool ControlStream::contradicts(const Segment& s) const {
    if (!begun_[s.side] || (s.seq == next_[s.side] && held_.empty())) [[likely]]
        return false;
    const std::uint32_t from = acked_[s.side];
    const std::string& kept = delivered_[s.side];
    if (differ(s.seq, s.data, next_[s.side] - static_cast<std::uint32_t>(kept.size()),
               {reinterpret_cast<const std::uint8_t*>(kept.data()), kept.size()}, from))
        return true;
    return std::any_of(held_.begin(), held_.end(), [&](const auto& h) {
        return h->side == s.side && differ(s.seq, s.data, h->seq, h->bytes(), from);
    });
}

} // namespace ftpsensor

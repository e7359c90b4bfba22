// A pattern that bytes begin with, such as "PK\x03\x04.{26}word/".
//
// The text is that of regular expressions: bytes stand for themselves, . for any (a line end, too), [a-z] and [^a-z]
// for sets, (a|b) for choices, ? * + {n} {n,m} for repetition, (?i:…) for letters of either case; \xHH, \0, \n, \r, \t,
// and a backslash before what else is no byte of itself. There are no anchors: a pattern is always looked for at the
// beginning.
//
// All ways to match are followed at once (Thompson, 1968), so that what strangers send costs at most its length times
// that of the pattern. Any thread.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

class BytePattern {
public:
    explicit BytePattern(std::string_view text); // std::invalid_argument where it is none

    bool begins(std::string_view bytes) const;

private:
    friend class BytePatternReader;
    using Set = std::bitset<256>;

    enum class Kind : std::uint8_t { byte, choice, end };
    struct Step {
        Kind kind = Kind::end;
        std::uint32_t set = 0;   // byte: which ones, by number
        std::uint32_t next = 0;  // the step behind it
        std::uint32_t other = 0; // choice: the other one
    };
    class Ways;

    std::vector<Set> sets_;
    std::vector<Step> steps_; // the first one is the last
    Set first_;               // bytes that can come first
    std::string needed_;      // bytes that are in everything that fits, where nearly any can come first
};

} // namespace ftpsensor

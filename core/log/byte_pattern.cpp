#include "core/log/byte_pattern.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string>

namespace ftpsensor {

// Reads a pattern from its end to its beginning in steps: each piece is told which step comes behind it.
class BytePatternReader {
public:
    BytePatternReader(std::string_view text, BytePattern& out) : text_(text), out_(out) {}

    void read() {
        const Node whole = choice();
        if (at_ != text_.size()) fail();
        const std::uint32_t end = add({BytePattern::Kind::end, 0, 0, 0});
        const std::uint32_t first = emit(whole, end);
        add({BytePattern::Kind::choice, 0, first, first});
        if (whole.parts.size() == 1) out_.needed_ = longest_run(whole.parts.front());
    }

private:
    using Set = BytePattern::Set;
    static constexpr unsigned kNoLimit = ~0u;

    // What has been read: a set of bytes, or a list of pieces that follow each other, or of choices.
    struct Node {
        enum class Kind : std::uint8_t { set, sequence, choice } kind = Kind::sequence;
        Set set;
        std::vector<Node> parts;
        unsigned least = 1;
        unsigned most = 1;
    };

    [[noreturn]] void fail() const { throw std::invalid_argument("no pattern: " + std::string(text_)); }
    bool more() const { return at_ < text_.size(); }
    char take() {
        if (!more()) fail();
        return text_[at_++];
    }
    bool take_if(std::string_view what) {
        if (!text_.substr(at_).starts_with(what)) return false;
        at_ += what.size();
        return true;
    }

    Node choice() {
        Node node;
        node.kind = Node::Kind::choice;
        do node.parts.push_back(sequence());
        while (take_if("|"));
        return node;
    }

    Node sequence() {
        Node node;
        while (more() && text_[at_] != '|' && text_[at_] != ')') {
            node.parts.push_back(piece());
            repetition(node.parts.back());
        }
        return node;
    }

    Node piece() {
        if (take_if("(")) {
            const bool outer = any_case_;
            if (take_if("?i:")) any_case_ = true;
            Node node = choice();
            if (!take_if(")")) fail();
            any_case_ = outer;
            return node;
        }
        Node node;
        node.kind = Node::Kind::set;
        if (take_if("["))
            node.set = set();
        else if (take_if("."))
            node.set.set();
        else
            put(node.set, byte());
        return node;
    }

    Set set() {
        Set bytes;
        const bool all_but = take_if("^");
        do {
            const unsigned first = byte();
            const bool range = text_.substr(at_).starts_with('-') && !text_.substr(at_).starts_with("-]");
            if (range) ++at_;
            const unsigned last = range ? byte() : first;
            if (last < first) fail();
            for (unsigned b = first; b <= last; ++b) put(bytes, b);
        } while (!take_if("]"));
        return all_but ? ~bytes : bytes;
    }

    void put(Set& bytes, unsigned byte) const {
        bytes.set(byte);
        if (!any_case_) return;
        bytes.set(static_cast<unsigned char>(std::tolower(static_cast<int>(byte))));
        bytes.set(static_cast<unsigned char>(std::toupper(static_cast<int>(byte))));
    }

    unsigned byte() {
        const char c = take();
        if (c != '\\') return static_cast<unsigned char>(c);
        switch (const char escaped = take()) {
        case '0': return 0;
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'x': return hex();
        default: return static_cast<unsigned char>(escaped);
        }
    }

    unsigned hex() { // two digits
        const std::size_t begin = at_;
        const unsigned value = number(2, 16);
        if (at_ != begin + 2) fail();
        return value;
    }

    unsigned number(std::size_t digits_max, int base) {
        const char* const begin = text_.data() + at_;
        const char* const end = begin + std::min(digits_max, text_.size() - at_);
        unsigned value = 0;
        const auto result = std::from_chars(begin, end, value, base);
        if (result.ec != std::errc{}) fail();
        at_ += static_cast<std::size_t>(result.ptr - begin);
        return value;
    }

    void repetition(Node& node) {
        if (take_if("?")) {
            node.least = 0;
        } else if (take_if("*")) {
            node.least = 0;
            node.most = kNoLimit;
        } else if (take_if("+")) {
            node.most = kNoLimit;
        } else if (take_if("{")) {
            node.least = node.most = number(3, 10);
            if (take_if(",")) node.most = number(3, 10);
            if (!take_if("}") || node.most < node.least) fail();
        }
    }

    // Of bytes that stand for themselves.
    static std::string longest_run(const Node& sequence) {
        std::string longest, run;
        for (const Node& part : sequence.parts) {
            const bool itself =
                part.kind == Node::Kind::set && part.set.count() == 1 && part.least == 1 && part.most == 1;
            if (!itself) run.clear();
            if (itself) run.push_back(static_cast<char>(only_byte(part.set)));
            if (run.size() > longest.size()) longest = run;
        }
        return longest;
    }
    static unsigned only_byte(const Set& bytes) {
        unsigned byte = 0;
        while (!bytes[byte]) ++byte;
        return byte;
    }

    std::uint32_t add(BytePattern::Step step) {
        out_.steps_.push_back(step);
        return static_cast<std::uint32_t>(out_.steps_.size() - 1);
    }

    std::uint32_t number_of(const Set& set) {
        const auto known = std::find(out_.sets_.begin(), out_.sets_.end(), set);
        const auto index = static_cast<std::uint32_t>(known - out_.sets_.begin());
        if (known == out_.sets_.end()) out_.sets_.push_back(set);
        return index;
    }

    // Returns the step that `node` begins with; `next` follows it.
    std::uint32_t emit(const Node& node, std::uint32_t next) {
        std::uint32_t at = next;
        if (node.most == kNoLimit) {
            at = add({BytePattern::Kind::choice, 0, next, next});
            const std::uint32_t again = once(node, at);
            out_.steps_[at].other = again;
        } else {
            for (unsigned i = node.least; i < node.most; ++i) {
                const std::uint32_t with = once(node, at);
                at = add({BytePattern::Kind::choice, 0, with, next});
            }
        }
        for (unsigned i = 0; i < node.least; ++i) at = once(node, at);
        return at;
    }

    std::uint32_t once(const Node& node, std::uint32_t next) {
        if (node.kind == Node::Kind::set) return add({BytePattern::Kind::byte, number_of(node.set), next, 0});
        if (node.kind == Node::Kind::sequence) {
            std::uint32_t at = next;
            for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part) at = emit(*part, at);
            return at;
        }
        std::uint32_t at = emit(node.parts.back(), next);
        for (auto part = node.parts.rbegin() + 1; part != node.parts.rend(); ++part) {
            const std::uint32_t other = emit(*part, next);
            at = add({BytePattern::Kind::choice, 0, other, at});
        }
        return at;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool any_case_ = false;
    BytePattern& out_;
};

// The steps that wait for a byte, each once.
class BytePattern::Ways {
public:
    explicit Ways(const BytePattern& pattern) : pattern_(&pattern), added_in_(pattern.steps_.size(), 0) {}

    void clear() {
        waiting_.clear();
        ++round_;
    }
    // Adds what `step` leads to without a byte.
    void add(std::uint32_t step) {
        to_follow_.push_back(step);
        while (!to_follow_.empty()) {
            const std::uint32_t at = to_follow_.back();
            to_follow_.pop_back();
            if (added_in_[at] == round_) continue;
            added_in_[at] = round_;
            const Step& s = pattern_->steps_[at];
            if (s.kind == Kind::end) ended_ = true;
            if (s.kind == Kind::byte) waiting_.push_back(at);
            if (s.kind != Kind::choice) continue;
            to_follow_.push_back(s.other);
            to_follow_.push_back(s.next);
        }
    }
    bool ended() const { return ended_; }
    const std::vector<std::uint32_t>& waiting() const { return waiting_; }

private:
    const BytePattern* pattern_;
    std::vector<std::uint32_t> added_in_; // round, by step
    std::vector<std::uint32_t> waiting_;
    std::vector<std::uint32_t> to_follow_;
    std::uint32_t round_ = 1;
    bool ended_ = false;
};

BytePattern::BytePattern(std::string_view text) {
    BytePatternReader(text, *this).read();
    Ways start(*this);
    start.add(static_cast<std::uint32_t>(steps_.size() - 1));
    for (const std::uint32_t step : start.waiting()) first_ |= sets_[steps_[step].set];
    if (start.ended()) throw std::invalid_argument("a pattern of nothing: " + std::string(text));
    if (first_.count() < first_.size() / 2) needed_.clear(); // the first byte tells sooner
}

bool BytePattern::begins(std::string_view bytes) const {
    if (bytes.empty() || !first_[static_cast<unsigned char>(bytes.front())]) return false;
    if (!needed_.empty() && memmem(bytes.data(), bytes.size(), needed_.data(), needed_.size()) == nullptr) return false;
    Ways now(*this), then(*this);
    now.add(static_cast<std::uint32_t>(steps_.size() - 1));
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        then.clear();
        for (const std::uint32_t at : now.waiting())
            if (sets_[steps_[at].set][byte]) then.add(steps_[at].next);
        if (then.ended()) return true;
        if (then.waiting().empty()) return false;
        std::swap(now, then);
    }
    return false;
}

} // namespace ftpsensor

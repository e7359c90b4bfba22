#include "core/ftp/path.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace ftpsensor {

namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// How many bytes at the beginning of `text` make it an absolute path: 0, 1 ("/") or 3 ("c:\", "c:/").
std::size_t root_size(std::string_view text) {
    if (text.starts_with('/')) return 1;
    const bool drive = text.size() >= 3 && is_letter(text[0]) && text[1] == ':' && (text[2] == '\\' || text[2] == '/');
    return drive ? 3 : 0;
}

// A path under construction, written over the one it is made from: never longer than what has been read.
class PathWriter {
public:
    // `done`: bytes that are there already.
    PathWriter(char* begin, bool absolute, std::size_t done)
        : begin_(begin), base_(absolute ? 1 : 0), size_(std::max(base_, done)) {}

    void push(std::string_view component) {
        if (size_ > base_) begin_[size_++] = '/';
        std::memmove(begin_ + size_, component.data(), component.size());
        size_ += component.size();
    }
    void push_parent() {
        const std::string_view above = last();
        if (size_ == base_ || above == "~" || above == "..") {
            push("..");
        } else if (above == ".") {
            pop();
            push("..");
        } else {
            pop();
        }
    }
    std::size_t size() const { return size_; }

private:
    std::string_view last() const {
        const std::string_view all(begin_ + base_, size_ - base_);
        const std::size_t slash = all.rfind('/');
        return slash == std::string_view::npos ? all : all.substr(slash + 1);
    }
    void pop() {
        size_ -= last().size();
        if (size_ > base_) --size_; // its slash
    }

    char* begin_;
    std::size_t base_; // bytes of the root, which is no component
    std::size_t size_;
};

bool is_compressed(std::string_view path) {
    for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1))
        if (at + 1 < path.size() && (path[at + 1] == '.' || path[at + 1] == '/')) return false;
    return true;
}

} // namespace

bool is_absolute_path(std::string_view path) { return root_size(path) > 0; }

std::size_t compress_path(char* path, std::size_t size, std::size_t done) {
    const std::string_view text(path, size);
    if (is_compressed(text.substr(done))) return size > 1 && text.back() == '/' ? size - 1 : size;

    PathWriter out(path, text.front() == '/', done);
    for (std::size_t at = done == 0 ? 0 : done + 1; at < size;) {
        const char* const begin = path + at;
        const void* const slash = std::memchr(begin, '/', size - at);
        const std::size_t length =
            slash != nullptr ? static_cast<std::size_t>(static_cast<const char*>(slash) - begin) : size - at;
        const std::string_view component(begin, length);
        const bool first = at == 0;
        at += length + 1;
        if (component.empty() || (component == "." && !first)) continue;
        if (component == "..")
            out.push_parent();
        else
            out.push(component);
    }
    return out.size();
}

std::string_view extract_path(std::string_view text) {
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        std::size_t end = begin + root_size(text.substr(begin));
        if (end == begin) continue;
        const std::size_t root_end = end;
        while (end < text.size() && text[end] != '"') {
            const bool escaped = end > root_end && text[end - 1] == '\\';
            if (text[end] == ' ' && !escaped) break;
            ++end;
        }
        return text.substr(begin, end - begin);
    }
    return {};
}

std::uint64_t extract_last_count(std::string_view text) {
    std::size_t end = text.size();
    while (end > 0 && !is_digit(text[end - 1])) --end;
    std::size_t begin = end;
    while (begin > 0 && is_digit(text[begin - 1])) --begin;
    if (begin == end) return 0;
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data() + begin, text.data() + end, value);
    return result.ec == std::errc{} ? value : std::numeric_limits<std::uint64_t>::max();
}

} // namespace ftpsensor

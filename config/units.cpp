#include "config/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// From large to small: the first that divides a value is the one to write it in.
constexpr std::array<Unit, 4> kBinarySizes{
    {{"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}}};
constexpr std::array<Unit, 6> kDecimalSizes{
    {{"TB", 1'000'000'000'000}, {"GB", 1'000'000'000}, {"MB", 1'000'000}, {"KB", 1'000}, {"B", 1}, {"", 1}}};
constexpr std::array<Unit, 6> kDurations{
    {{"d", 24 * kHour}, {"h", kHour}, {"min", kMinute}, {"s", kSecond}, {"ms", kMillisecond}, {"us", kMicrosecond}}};

const Unit* find_unit(std::span<const Unit> units, std::string_view name) {
    for (const Unit& unit : units)
        if (unit.name == name) return &unit;
    return nullptr;
}

struct Quantity {
    std::uint64_t number = 0;
    std::string_view unit;
};

Quantity split(std::string_view text) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || text.substr(digits).starts_with('.'))
        throw BadValue(fmt::format("'{}' is not a whole number", text));
    Quantity quantity{parse_uint(text.substr(0, digits)), text.substr(digits)};
    if (quantity.unit.size() > 1 && quantity.unit.front() == ' ') quantity.unit.remove_prefix(1);
    return quantity;
}

std::uint64_t multiply(std::uint64_t number, std::uint64_t factor, std::uint64_t max, std::string_view text) {
    if (number > max / factor) throw BadValue(fmt::format("'{}' is too large", text));
    return number * factor;
}

std::string format_in(std::span<const Unit> units, std::uint64_t value) {
    if (value != 0)
        for (const Unit& unit : units)
            if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
    return fmt::format("{}", value);
}

} // namespace

std::uint64_t parse_uint(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) throw BadValue(fmt::format("'{}' is too large", text));
    if (error != std::errc{} || end != text.data() + text.size())
        throw BadValue(fmt::format("'{}' is not a whole number", text));
    return number;
}

std::uint64_t parse_size(std::string_view text) {
    const Quantity quantity = split(text);
    const Unit* unit = find_unit(kBinarySizes, quantity.unit);
    if (unit == nullptr) unit = find_unit(kDecimalSizes, quantity.unit);
    if (unit == nullptr) throw BadValue(fmt::format("'{}' has an unknown unit", text));
    return multiply(quantity.number, unit->factor, std::numeric_limits<std::uint64_t>::max(), text);
}

Duration parse_duration(std::string_view text) {
    if (text == "0") return 0;
    const Quantity quantity = split(text);
    if (quantity.unit.empty()) throw BadValue(fmt::format("'{}' has no unit", text));
    const Unit* unit = find_unit(kDurations, quantity.unit);
    if (unit == nullptr) throw BadValue(fmt::format("'{}' has an unknown unit", text));
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<Duration>::max());
    return static_cast<Duration>(multiply(quantity.number, unit->factor, max, text));
}

std::string format_size(std::uint64_t bytes) { return format_in(kBinarySizes, bytes); }

std::string format_duration(Duration nanoseconds) {
    return format_in(kDurations, static_cast<std::uint64_t>(nanoseconds));
}

} // namespace ftpsensor

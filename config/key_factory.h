// Makes keys of the table out of a codec and the way to a member of Config.
//
//     key("capture.burst", number<std::uint32_t>("a number", 1, 512), "help", &Config::capture, &CaptureConfig::burst)
//
// Included by keys.cpp alone.
#pragma once

#include "config/keys.h"
#include "config/values.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

// The member at the end of a way of member pointers; const where `object` is.
template <typename Object, typename Member, typename... Rest>
auto& follow(Object& object, Member member, Rest... rest) {
    if constexpr (sizeof...(rest) == 0)
        return object.*member;
    else
        return follow(object.*member, rest...);
}

inline std::string give(std::string_view expects) { return fmt::format("give {}", expects); }

template <typename T>
std::string give(const Codec<T>& codec) {
    return codec.units.empty() ? give(codec.expects) : fmt::format("give {} ({})", codec.expects, codec.units);
}

// One scalar through its codec, range included.
template <typename T>
T read_scalar(const YamlNode& node, const Codec<T>& codec, const std::string& item) {
    if (node.kind == YamlNode::Kind::null) throw ValueFault(node.at, item, "has no value", give(codec));
    if (node.kind != YamlNode::Kind::scalar)
        throw ValueFault(node.at, item, node.kind == YamlNode::Kind::list ? "is a list" : "is a map", give(codec));
    try {
        T value = codec.parse(node.text);
        if (const auto fault = codec.fault(value); !fault.empty()) throw BadValue(fault);
        return value;
    } catch (const BadValue& bad) {
        throw ValueFault(node.at, item, bad.what(), give(codec));
    }
}

template <typename T, typename... Way>
Key key(std::string_view path, Codec<T> codec, std::string_view help, Way... way) {
    Key made;
    made.path = path;
    made.help = help;
    made.expects = codec.expects;
    made.read = [=](const YamlNode& node, Config& config) { follow(config, way...) = read_scalar(node, codec, ""); };
    made.write = [=](const Config& config) { return codec.format(follow(config, way...)); };
    made.check = [=](const Config& config) {
        if (const auto fault = codec.fault(follow(config, way...)); !fault.empty())
            throw ValueFault({}, "", fault, give(codec));
    };
    return made;
}

inline constexpr std::size_t kListItemsMax = 4096;

inline void require_list(const YamlNode& node, const std::string& expects) {
    if (node.kind == YamlNode::Kind::list) {
        if (node.items.size() > kListItemsMax)
            throw ValueFault(node.at, "", "has too many items", fmt::format("give at most {}", kListItemsMax));
        return;
    }
    const char* wrong = node.kind == YamlNode::Kind::null  ? "has no value"
                        : node.kind == YamlNode::Kind::map ? "is a map, not a list"
                                                           : "is a single value, not a list";
    throw ValueFault(node.at, "", wrong, give(expects));
}

inline std::string item_path(std::size_t index) { return fmt::format("[{}]", index); }

// A list of scalars, none twice unless `repeats`.
template <typename T, typename... Way>
Key list_key(std::string_view path, Codec<T> codec, bool repeats, std::string_view help, Way... way) {
    const auto check_items = [=](const std::vector<T>& values, const YamlNode* node) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const YamlPosition at = node != nullptr ? node->items[i].at : YamlPosition{};
            if (const auto fault = codec.fault(values[i]); !fault.empty())
                throw ValueFault(at, item_path(i), fault, give(codec));
            const auto end = values.begin() + static_cast<std::ptrdiff_t>(i);
            if (!repeats && std::find(values.begin(), end, values[i]) != end)
                throw ValueFault(at, item_path(i), codec.format(values[i]) + " is given twice", "keep one");
        }
    };
    Key made;
    made.path = path;
    made.help = help;
    made.expects = "a list in [ ], each item " + codec.expects;
    made.read = [=, expects = made.expects](const YamlNode& node, Config& config) {
        require_list(node, expects);
        std::vector<T> values;
        for (const YamlNode& item : node.items) values.push_back(read_scalar(item, codec, item_path(values.size())));
        check_items(values, &node);
        follow(config, way...) = std::move(values);
    };
    made.write = [=](const Config& config) {
        std::string text = "[";
        for (const T& value : follow(config, way...)) text += (text.size() > 1 ? ", " : "") + codec.format(value);
        return text + "]";
    };
    made.check = [=](const Config& config) { check_items(follow(config, way...), nullptr); };
    return made;
}

} // namespace ftpsensor

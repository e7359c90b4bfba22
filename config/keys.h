// The table of keys: the one place that says which keys there are, what they take and what they are for.
//
// The loader, --set, validate(), describe(), "did you mean" and the commented example (config/ftpsensor.yaml) all come
// from it. To add a key: a member in config.h, a line here, then `meson compile -C build example-config`. Main thread.
#pragma once

#include "config/config.h"
#include "config/yaml_tree.h"

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ftpsensor {

// A value that a key does not take. The loader puts file, position and key before it.
struct ValueFault : std::runtime_error {
    ValueFault(YamlPosition position, std::string item, const std::string& wrong, const std::string& right)
        : std::runtime_error(wrong + "; " + right), at(position), sub_path(std::move(item)) {}
    YamlPosition at;      // unknown where a Config is judged, not a text
    std::string sub_path; // "[1]" or "[0].interface" where an item of the value is at fault, else empty
};

// What a changed value needs: SIGHUP, which reads the configuration again, or a restart.
enum class TakesEffect : std::uint8_t { at_restart, at_reload };

struct Key {
    std::string_view path;                              // "log.rotation.interval"
    std::string_view help;                              // for the example: what it is, why and when to change it
    std::string expects;                                // completes "give …": kind and range
    std::string_view sample;                            // the example's text where that is not the default
    std::function<void(const YamlNode&, Config&)> read; // throws ValueFault; the Config is then unchanged
    std::function<std::string(const Config&)> write;    // the value on one line, as read() takes it
    std::function<void(const Config&)> check;           // throws ValueFault where the value is out of its range
    TakesEffect takes_effect = TakesEffect::at_restart;
};

struct Section { // a map of keys; "" is the document
    std::string_view path;
    std::string_view help;
};

const std::vector<Key>& all_keys();         // in the order of the example: sections stand together
const std::vector<Section>& all_sections(); // in the order of the example

std::string_view
section_of(std::string_view path); // "log.rotation" of "log.rotation.interval"; "" of a key of the document

const Key* find_key(std::string_view path);         // nullptr: no such key
const Section* find_section(std::string_view path); // nullptr: no such section

} // namespace ftpsensor

#include "config/config.h"

#include "config/keys.h"
#include "config/nearest.h"
#include "config/yaml_tree.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

constexpr std::size_t kFileBytesMax = 1u << 20;

std::string joined(std::string_view section, std::string_view name) {
    return section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
}

std::string_view section_of(std::string_view path) {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

// The keys and sections directly below `section`, as a person would list them.
std::string names_below(std::string_view section) {
    std::string names;
    const auto append = [&](std::string_view path) {
        if (path.empty() || section_of(path) != section) return;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", path.substr(section.empty() ? 0 : section.size() + 1));
    };
    for (const Section& each : all_sections()) append(each.path);
    for (const Key& key : all_keys()) append(key.path);
    return names;
}

// The right half of the sentence on an unknown key.
std::string suggestion(std::string_view path) {
    std::vector<std::string_view> paths;
    for (const Key& key : all_keys()) paths.push_back(key.path);
    for (const Section& section : all_sections())
        if (!section.path.empty()) paths.push_back(section.path);
    if (const auto near = nearest_path(path, paths); !near.empty()) return fmt::format("did you mean {}?", near);
    const auto section = find_section(section_of(path)) != nullptr ? section_of(path) : std::string_view{};
    return section.empty() ? fmt::format("the keys of the document are {}", names_below(""))
                           : fmt::format("the keys of {} are {}", section, names_below(section));
}

// Reads a document into a Config; stops at the first fault.
class Loader {
public:
    Loader(std::string_view file, Config& config) : file_(file), config_(config) {}

    void read_document(const YamlNode& root) {
        if (root.kind == YamlNode::Kind::scalar || root.kind == YamlNode::Kind::list)
            fail(root.at, "", "the document is not a map", "begin with a section such as capture:");
        read_section(root, "");
    }

private:
    [[noreturn]] void fail(YamlPosition at, std::string_view path, std::string_view wrong, std::string_view right) {
        throw ConfigError(
            fmt::format("{}{}{}; {}", place(at), path, path.empty() ? wrong : fmt::format(": {}", wrong), right));
    }

    std::string place(YamlPosition at) const { return fmt::format("{}:{}:{}: ", file_, at.line, at.column); }

    void read_section(const YamlNode& section, std::string_view path) {
        std::map<std::string_view, YamlPosition> seen;
        for (const YamlNode& value : section.items) {
            const std::string value_path = joined(path, value.key);
            const auto [first, is_new] = seen.emplace(value.key, value.key_at);
            if (!is_new)
                fail(value.key_at, value_path, fmt::format("given twice, first in line {}", first->second.line),
                     "keep one");
            read_value(value, value_path);
        }
    }

    void read_value(const YamlNode& value, const std::string& path) {
        const bool dotted = value.key.find('.') != std::string::npos;
        if (const Section* section = find_section(path); section != nullptr && !dotted && !path.empty()) {
            if (value.kind == YamlNode::Kind::scalar || value.kind == YamlNode::Kind::list)
                fail(value.at, path, "is a section", fmt::format("give its keys below it: {}", names_below(path)));
            read_section(value, path);
            return;
        }
        const Key* key = find_key(path);
        if (key == nullptr) fail(value.key_at, path, "unknown key", suggestion(path));
        if (dotted)
            fail(value.key_at, path, "a key in a file has no dots",
                 fmt::format("give {} below {}:", key->path.substr(section_of(key->path).size() + 1),
                             section_of(key->path)));
        try {
            key->read(value, config_);
        } catch (const ValueFault& fault) {
            throw ConfigError(fmt::format("{}{}{}: {}", place(fault.at), path, fault.sub_path, fault.what()));
        }
    }

    std::string_view file_;
    Config& config_;
};

std::string read_file(const std::string& path) {
    const auto fail = [&] {
        throw ConfigError(
            fmt::format("{}: {}; give a configuration file that can be read", path, std::strerror(errno)));
    };
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
    if (file == nullptr) fail();
    std::string text;
    std::array<char, 16384> buffer;
    while (const auto n = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
        text.append(buffer.data(), n);
        if (text.size() > kFileBytesMax)
            throw ConfigError(fmt::format("{}: is longer than 1 MiB; give a configuration file", path));
    }
    if (std::ferror(file.get()) != 0) fail();
    return text;
}

} // namespace

std::string printable(std::string_view text) {
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        shown += byte < 32 || byte == 127 ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
    }
    return shown;
}

ConfigError::ConfigError(std::string_view sentence) : std::runtime_error(printable(sentence)) {}

Config load_config(const std::string& path) { return parse_config(read_file(path), path); }

Config parse_config(std::string_view text, std::string_view file_name) {
    Config config;
    try {
        Loader(file_name, config).read_document(parse_yaml(text));
    } catch (const YamlError& error) {
        throw ConfigError(fmt::format("{}:{}:{}: {}", file_name, error.at.line, error.at.column, error.what()));
    }
    return config;
}

void apply_override(Config& config, std::string_view key_equals_value) {
    const auto equals = key_equals_value.find('=');
    if (equals == std::string_view::npos)
        throw ConfigError(
            fmt::format("--set: '{}' has no '='; give KEY=VALUE, such as ftp.extended=false", key_equals_value));
    const auto path = key_equals_value.substr(0, equals);
    if (const Section* section = find_section(path); section != nullptr && !path.empty())
        throw ConfigError(fmt::format("--set: {}: is a section; give one of its keys: {}", path, names_below(path)));
    const Key* key = find_key(path);
    if (key == nullptr) throw ConfigError(fmt::format("--set: {}: unknown key; {}", path, suggestion(path)));
    try {
        key->read(parse_yaml(key_equals_value.substr(equals + 1)), config);
    } catch (const YamlError& error) {
        throw ConfigError(fmt::format("--set: {}: {}; give {}", path, error.what(), key->expects));
    } catch (const ValueFault& fault) {
        throw ConfigError(fmt::format("--set: {}{}: {}", path, fault.sub_path, fault.what()));
    }
}

std::string describe(const Config& config) {
    std::string text;
    for (const Key& key : all_keys()) text += fmt::format("{}: {}\n", key.path, key.write(config));
    return text;
}

} // namespace ftpsensor

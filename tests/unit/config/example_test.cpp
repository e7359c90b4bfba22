// The commented example is the table of keys, and the defaults are those of Config.
#include "config/config.h"
#include "config/example.h"
#include "config/keys.h"
#include "config/yaml_tree.h"
#include "tests/support/catch.h"

#include <fstream>
#include <set>
#include <sstream>

using namespace ftpsensor;

namespace {

std::string installed_text() {
    std::ifstream file(FTPSENSOR_EXAMPLE);
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void collect_paths(const YamlNode& node, const std::string& path, std::set<std::string>& paths) {
    if (node.kind != YamlNode::Kind::map) {
        paths.insert(path);
        return;
    }
    for (const YamlNode& value : node.items)
        collect_paths(value, path.empty() ? value.key : path + "." + value.key, paths);
}

} // namespace

TEST_CASE("config/ftpsensor.yaml is what the table of keys gives (else: meson compile -C build example-config)") {
    std::istringstream installed(installed_text());
    std::istringstream made(example_config());
    std::string installed_line, made_line;
    while (std::getline(made, made_line)) {
        REQUIRE(std::getline(installed, installed_line));
        REQUIRE(installed_line == made_line);
    }
    CHECK_FALSE(std::getline(installed, installed_line));
}

TEST_CASE("the example is valid, and holds the defaults but for the port, which is to be set") {
    Config example = load_config(FTPSENSOR_EXAMPLE);
    CHECK_NOTHROW(validate(example));
    REQUIRE(example.capture.ports.size() == 1);
    CHECK(example.capture.ports[0].interface == "eth1");
    example.capture.ports.clear();
    CHECK(describe(example) == describe(Config{}));
}

TEST_CASE("every key of the table is in the example, and no other") {
    std::set<std::string> in_example;
    collect_paths(parse_yaml(installed_text()), "", in_example);
    std::set<std::string> in_table;
    for (const Key& key : all_keys()) CHECK(in_table.insert(std::string(key.path)).second);
    CHECK(in_example == in_table);
}

TEST_CASE("every key is explained, and belongs to a section that is, in one run") {
    std::set<std::string_view> sections_done;
    std::string_view current;
    for (const Key& key : all_keys()) {
        INFO(key.path);
        CHECK(key.help.size() > 15);
        CHECK(key.help.ends_with('.'));
        CHECK_FALSE(key.expects.empty());
        const auto section = section_of(key.path);
        CHECK(find_section(section) != nullptr);
        if (section != current) {
            CHECK(sections_done.insert(section).second); // a section that came back would be given twice in the example
            current = section;
        }
    }
}

TEST_CASE("lines of the example fit a terminal") {
    std::istringstream text(example_config());
    for (std::string line; std::getline(text, line);) {
        INFO(line);
        CHECK(line.size() <= 120);
    }
}

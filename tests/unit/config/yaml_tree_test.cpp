#include "config/yaml_tree.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

std::string fault_of(std::string_view text) {
    try {
        parse_yaml(text);
        return "accepted";
    } catch (const YamlError& error) {
        return std::to_string(error.at.line) + ":" + std::to_string(error.at.column) + " " + error.what();
    }
}

} // namespace

TEST_CASE("a tree keeps order, duplicates and places") {
    const YamlNode root = parse_yaml("a: 1\nb:\n  - x\n  - {c: \"two words\"}\na: 2\n");
    REQUIRE(root.kind == YamlNode::Kind::map);
    REQUIRE(root.items.size() == 3);
    CHECK(root.items[0].key == "a");
    CHECK(root.items[0].text == "1");
    CHECK(root.items[0].at.line == 1);
    CHECK(root.items[0].at.column == 4);
    CHECK(root.items[2].key == "a");
    CHECK(root.items[2].key_at.line == 5);
    CHECK(root.items[2].key_at.column == 1);
    const YamlNode& list = root.items[1];
    REQUIRE(list.kind == YamlNode::Kind::list);
    REQUIRE(list.items.size() == 2);
    CHECK(list.items[0].text == "x");
    REQUIRE(list.items[1].kind == YamlNode::Kind::map);
    CHECK(list.items[1].items[0].text == "two words");
}

TEST_CASE("null is not text, and stands where its key does") {
    const YamlNode root = parse_yaml("a:\nb: ~\nc: \"\"\nd: 'null'\n");
    REQUIRE(root.items.size() == 4);
    CHECK(root.items[0].kind == YamlNode::Kind::null);
    CHECK(root.items[0].at.line == 1);
    CHECK(root.items[1].kind == YamlNode::Kind::null);
    CHECK(root.items[2].kind == YamlNode::Kind::scalar);
    CHECK(root.items[3].text == "null");
}

TEST_CASE("an empty document is null") {
    CHECK(parse_yaml("").kind == YamlNode::Kind::null);
    CHECK(parse_yaml("# nothing\n").kind == YamlNode::Kind::null);
    CHECK(parse_yaml("---\n").kind == YamlNode::Kind::null);
}

TEST_CASE("what would hide something is refused") {
    CHECK(fault_of("a: &x 1\nb: *x\n") == "2:4 an alias (*name) is not taken here; write the value out");
    CHECK(fault_of("a: 1\n---\nb: 2\n") == "3:1 a second document begins here; give one");
    CHECK(fault_of("[a]: 1\n") == "1:1 a key is a list or a map; give a word");
    CHECK(fault_of("~: 1\n") == "1:1 a key has no name");
}

TEST_CASE("a quote that is not closed would swallow the keys behind it") {
    CHECK(fault_of("a: \"open\nb: 2\n") == "1:4 a quote begins here and is not closed");
    CHECK(fault_of("# Gr\xc3\xb6\xc3\x9f"
                   "e, and Latin-1: \xe4\nb:\n  a: 'it''s open\n") == "3:6 a quote begins here and is not closed");
    CHECK(fault_of("a: \"esc\\\"\n") == "1:4 a quote begins here and is not closed");
    CHECK(parse_yaml("a: 'it''s'\nb: \"\\\"\\\\\"\n").items[1].text == "\"\\");
}

TEST_CASE("what is not YAML is said with its place") {
    CHECK(fault_of("a: 1\n\tb: 2\n") == "2:1 not valid YAML: a tab indents this line; use spaces");
    CHECK(fault_of("a: 1\n b: 2\n").starts_with("2:3 not valid YAML: "));
    CHECK(fault_of("a: [1, 2\nb: 3\n").find(" not valid YAML: ") != std::string::npos);
}

TEST_CASE("nesting is bounded") {
    const auto repeated = [](std::string_view text, int times) {
        std::string result = "a: ";
        for (int i = 0; i < times; ++i) result += text;
        return result;
    };
    CHECK(fault_of(repeated("[", 20'000)) != "accepted");
    CHECK(fault_of(repeated("{b: ", 20'000)) != "accepted");
    CHECK(fault_of("\n" + repeated("- ", 20'000)) != "accepted");
}

#include "config/yaml_tree.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace ftpsensor {
namespace {

YamlPosition position_of(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

// Finds a position in the text again.
class LineIndex {
public:
    explicit LineIndex(std::string_view text) : text_(text) {
        starts_.push_back(0);
        for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', end + 1))
            starts_.push_back(end + 1);
    }
    // The text from a position on; empty where there is no such position.
    std::string_view from(YamlPosition at) const {
        if (at.line == 0 || at.line > starts_.size()) return {};
        return text_.substr(std::min(starts_[at.line - 1] + at.column - 1, text_.size()));
    }

private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

// yaml-cpp takes a quote that is never closed as one that ends with the file, and every key behind it as its text.
bool is_open_quote(std::string_view text) {
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) return false;
    const char quote = text.front();
    for (std::size_t i = 1; i < text.size(); ++i) {
        const bool doubled = quote == '\'' && text.substr(i).starts_with("''");
        if (doubled || (quote == '"' && text[i] == '\\'))
            ++i; // an escape: the next character is part of it
        else if (text[i] == quote)
            return false;
    }
    return true;
}

// Builds the tree from the parser's events. A key arrives as an event like any value; `Level::key_next` tells them
// apart.
class TreeBuilder final : public YAML::EventHandler {
public:
    explicit TreeBuilder(const LineIndex& lines) : lines_(lines) {}
    YamlNode take_root() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        if (is_key_next()) throw YamlError(position_of(mark), "a key has no name");
        add(node(YamlNode::Kind::null, mark));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw YamlError(position_of(mark), "an alias (*name) is not taken here; write the value out");
    }

    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string& value) override {
        if (is_open_quote(lines_.from(position_of(mark))))
            throw YamlError(position_of(mark), "a quote begins here and is not closed");
        if (is_key_next()) {
            Level& level = levels_.back();
            level.key = value;
            level.key_at = position_of(mark);
            level.key_next = false;
            return;
        }
        YamlNode scalar = node(YamlNode::Kind::scalar, mark);
        scalar.text = value;
        add(std::move(scalar));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open(YamlNode::Kind::list, mark);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
        open(YamlNode::Kind::map, mark);
    }
    void OnMapEnd() override { close(); }

private:
    struct Level { // a list or map that is not closed yet
        YamlNode node;
        bool key_next = false;
        std::string key;
        YamlPosition key_at;
    };

    static YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) {
        YamlNode result;
        result.kind = kind;
        result.at = position_of(mark);
        return result;
    }

    bool is_key_next() const { return !levels_.empty() && levels_.back().key_next; }

    void open(YamlNode::Kind kind, const YAML::Mark& mark) {
        if (is_key_next()) throw YamlError(position_of(mark), "a key is a list or a map; give a word");
        Level level;
        level.node = node(kind, mark);
        level.key_next = kind == YamlNode::Kind::map;
        levels_.push_back(std::move(level));
    }

    void close() {
        YamlNode closed = std::move(levels_.back().node);
        levels_.pop_back();
        add(std::move(closed));
    }

    void add(YamlNode value) {
        if (levels_.empty()) {
            root_ = std::move(value);
            return;
        }
        Level& level = levels_.back();
        if (level.node.kind == YamlNode::Kind::map) {
            value.key = std::move(level.key);
            value.key_at = level.key_at;
            if (value.kind == YamlNode::Kind::null) value.at = value.key_at; // the parser is already past it
            level.key_next = true;
        }
        level.node.items.push_back(std::move(value));
    }

    const LineIndex& lines_;
    std::vector<Level> levels_;
    YamlNode root_;
};

} // namespace

YamlNode parse_yaml(std::string_view text) {
    const LineIndex lines(text);
    std::istringstream stream{std::string(text)};
    try {
        YAML::Parser parser(stream);
        TreeBuilder builder(lines);
        parser.HandleNextDocument(builder);
        YamlNode root = builder.take_root();
        TreeBuilder rest(lines);
        if (parser.HandleNextDocument(rest))
            throw YamlError(rest.take_root().at, "a second document begins here; give one");
        return root;
    } catch (const YAML::Exception& error) {
        const YamlPosition at = position_of(error.mark);
        const auto line = lines.from({at.line, 1});
        const auto margin = line.substr(0, line.find_first_not_of(" \t"));
        throw YamlError(at, margin.find('\t') != std::string_view::npos
                                ? "not valid YAML: a tab indents this line; use spaces"
                                : "not valid YAML: " + error.msg);
    }
}

} // namespace ftpsensor

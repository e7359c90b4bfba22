// Fuzzes the loader of the configuration: any text is a valid configuration or a ConfigError, whose sentence is one
// line without control characters.
//
// An input: the text of a file; from a first byte "!" on, a value for --set instead.
#include "config/config.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

void check_sentence(const char* what) {
    const std::string_view text = what;
    require(!text.empty(), "a reason");
    for (const char c : text)
        require(static_cast<unsigned char>(c) >= 32 && c != 127, "one line that a terminal can show");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        Config config;
        if (text.starts_with('!'))
            apply_override(config, text.substr(1));
        else
            config = parse_config(text, "fuzz.yaml");
        require(!describe(config).empty(), "a description");
        validate(config);
    } catch (const ConfigError& e) {
        check_sentence(e.what());
    }
    return 0;
}

// Writes what is made from the table of keys to standard output; the build runs it. The argument says which:
// example (config/ftpsensor.yaml), manual (ftpsensor.yaml(5)) or keys (one a line, for the shell's completion).
#include "config/example.h"
#include "config/keys.h"
#include "config/manual.h"

#include <cstdio>
#include <string>
#include <string_view>

namespace {

std::string key_names() {
    std::string names;
    for (const ftpsensor::Key& key : ftpsensor::all_keys()) names.append(key.path).append("\n");
    return names;
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc == 2 ? argv[1] : "";
    std::string text;
    if (what == "example") text = ftpsensor::example_config();
    if (what == "manual") text = ftpsensor::config_manual(FTPSENSOR_VERSION);
    if (what == "keys") text = key_names();
    if (text.empty()) {
        std::fputs("usage: write_docs example|manual|keys\n", stderr);
        return 2;
    }
    return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

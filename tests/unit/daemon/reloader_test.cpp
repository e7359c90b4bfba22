// Reloader: what a changed file makes of a running sensor, whose parts are played here.
#include "daemon/live/reloader.h"
#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <unistd.h>

using namespace ftpsensor;

namespace {

struct Sensor {
    std::filesystem::path file =
        std::filesystem::temp_directory_path() / ("reloader_test." + std::to_string(getpid()) + ".yaml");
    CommandLine command_line;
    std::unique_ptr<Reloader> reloader;
    std::vector<ConfigPasswords> taken; // by the workers
    std::string sensor_fails, outlets_fail;
    int outlets_told = 0;

    Sensor() {
        write("guests");
        command_line.config_path = file;
        command_line.config.capture.ports = {{.interface = "lo", .pci = "", .vdev = ""}};
        command_line.config = read_config_again(command_line);
        reloader = std::make_unique<Reloader>(command_line);
    }
    ~Sensor() { std::filesystem::remove(file); }
    void write(const std::string& passwords) const {
        std::ofstream(file) << "capture: {ports: [{interface: lo}]}\nftp: {passwords: " << passwords << "}\n";
    }
    void reload() {
        reloader->reload({[this](const Config& config) {
                              if (!sensor_fails.empty()) throw std::runtime_error(sensor_fails);
                              taken.push_back(config.ftp.passwords);
                              return std::vector<std::string>{};
                          },
                          [this](const ReloadPlan&) {
                              ++outlets_told;
                              if (!outlets_fail.empty()) throw std::runtime_error(outlets_fail);
                          }});
    }
    SensorFigures figures() const {
        SensorFigures figures;
        reloader->add_figures(figures);
        return figures;
    }
};

} // namespace

TEST_CASE("what the workers refuse is refused as a whole, and asked of them again") {
    Sensor sensor;
    sensor.write("all");
    sensor.sensor_fails = "no such group";
    sensor.reload();
    CHECK(sensor.outlets_told == 0);
    CHECK(sensor.figures().reloads == 0);
    CHECK(sensor.figures().reloads_refused == 1);
    sensor.sensor_fails.clear();
    sensor.reload();
    CHECK(sensor.taken == std::vector{ConfigPasswords::all});
}

TEST_CASE("what the workers have taken is in effect, also where figures are not shown as it says") {
    Sensor sensor;
    sensor.write("all");
    sensor.outlets_fail = "no thread can be had";
    sensor.reload();
    CHECK(sensor.taken == std::vector{ConfigPasswords::all});
    CHECK(sensor.figures().reloads == 1);
    CHECK(sensor.figures().reloads_refused == 0);
    sensor.outlets_fail.clear();
    sensor.write("guests");
    sensor.reload();
    CHECK(sensor.taken == std::vector{ConfigPasswords::all, ConfigPasswords::guests});
    sensor.reload(); // nothing has changed
    CHECK(sensor.taken.size() == 2);
}

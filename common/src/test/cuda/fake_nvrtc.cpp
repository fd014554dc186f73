// NVRTC for the fake card: g++ makes a shared library of the kernels, which takes the place of machine code.
#include <dirent.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <unistd.h>
#include <vector>

#define FAKE_API extern "C" __attribute__((visibility("default")))

namespace {

enum Result { SUCCESS = 0, INVALID_INPUT = 3, INVALID_PROGRAM = 4, COMPILATION = 6, INTERNAL_ERROR = 11 };

struct Program {
    std::string source, name, log, binary;
    std::vector<std::pair<std::string, std::string>> headers;
};

struct KernelName {
    std::string name, bounds;
};

std::string quoted(const std::string& text) {
    std::string all = "'";
    for (char c : text) {
        all += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return all + "'";
}

std::string variable(const char* name, const char* absent) {
    const char* text = getenv(name);
    return text && *text ? text : absent;
}

std::string includeFolder() {
    Dl_info info;
    std::string own = dladdr(reinterpret_cast<void*>(includeFolder), &info) ? info.dli_fname : "";
    size_t slash = own.rfind('/');
    return variable("GUILOMO_FAKE_INCLUDE", slash == std::string::npos ? "." : own.substr(0, slash).c_str());
}

bool writeFile(const std::string& path, const std::string& text) {
    FILE* file = fopen(path.c_str(), "wb");
    bool written = file && fwrite(text.data(), 1, text.size(), file) == text.size();
    return file && !fclose(file) && written;
}

std::string readFile(const std::string& path) {
    std::string text;
    if (FILE* file = fopen(path.c_str(), "rb")) {
        char part[65536];
        for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) {
            text.append(part, n);
        }
        fclose(file);
    }
    return text;
}

// True if the command ended well; what it wrote is appended.
bool shell(const std::string& command, std::string& output) {
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) {
        output += "cannot run " + command;
        return false;
    }
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) {
        output.append(part, n);
    }
    return pclose(pipe) == 0;
}

class Folder {
public:
    Folder() : path(variable("TMPDIR", "/tmp") + "/fake-nvrtc-XXXXXX") { made = mkdtemp(path.data()); }
    ~Folder() {
        if (DIR* folder = made ? opendir(path.c_str()) : nullptr) {
            while (dirent* entry = readdir(folder)) {
                unlink((path + "/" + entry->d_name).c_str());
            }
            closedir(folder);
            rmdir(path.c_str());
        }
    }
    std::string operator/(const std::string& name) const { return path + "/" + name; }

    std::string path;
    bool made;
};

std::vector<std::string> tokens(const std::string& text) {
    std::vector<std::string> all;
    for (size_t i = 0; i < text.size();) {
        size_t end = i + 1;
        if (isspace(text[i])) {
            i++;
            continue;
        }
        if (isalnum(text[i]) || text[i] == '_') {
            while (end < text.size() && (isalnum(text[end]) || text[end] == '_')) {
                end++;
            }
        } else if (text[i] == '"' || text[i] == '\'') {
            while (end < text.size() && text[end] != text[i]) {
                end += text[end] == '\\' ? 2 : 1;
            }
            end++;
        }
        all.push_back(text.substr(i, end - i));
        i = end;
    }
    return all;
}

// Kernels declared extern "C" in preprocessed source.
std::vector<KernelName> kernelsIn(const std::string& text) {
    std::vector<KernelName> kernels;
    std::vector<std::string> all = tokens(text);
    for (size_t i = 0; i + 2 < all.size(); i++) {
        if (all[i] != "extern" || all[i + 1] != "\"C\"") {
            continue;
        }
        KernelName kernel{"", "1024"};
        bool global = false;
        size_t at = i + 2;
        for (; at + 1 < all.size() && all[at] != ";" && all[at] != "{"; at++) {
            global |= all[at] == "__global__";
            if (all[at + 1] != "(" || all[at] == "(") {
                continue;
            }
            bool bounds = all[at] == "__launch_bounds__";
            if (!bounds && all[at].compare(0, 2, "__")) {
                kernel.name = all[at];
                break;
            }
            std::string inside;
            int depth = 0;
            for (at++; at < all.size(); at++) {
                depth += all[at] == "(" ? 1 : all[at] == ")" ? -1 : 0;
                if (!depth) {
                    break;
                }
                inside += all[at] + " ";
            }
            if (bounds) {
                kernel.bounds = inside.substr(2);
            }
        }
        size_t depth = 0;
        for (; at < all.size(); at++) {
            depth += all[at] == "(" ? 1 : all[at] == ")" ? -1 : 0;
            if (all[at] == ")" && !depth) {
                break;
            }
        }
        if (global && !kernel.name.empty() && at + 1 < all.size() && all[at + 1] == "{") {
            kernels.push_back(kernel);
        }
    }
    return kernels;
}

// Only definitions and folders matter to g++.
std::string passedOn(int count, const char* const* options) {
    std::string all;
    for (int i = 0; i < count; i++) {
        std::string option = options[i];
        for (auto [lengthy, brief] : {std::pair("--define-macro=", "-D"), std::pair("--include-path=", "-I")}) {
            if (!option.compare(0, strlen(lengthy), lengthy)) {
                option = brief + option.substr(strlen(lengthy));
            }
        }
        if (!option.compare(0, 2, "-D") || !option.compare(0, 2, "-I")) {
            all += " " + quoted(option);
            if (option.size() == 2 && i + 1 < count) {
                all += " " + quoted(options[++i]);
            }
        }
    }
    return all;
}

Result compile(Program& program, int count, const char* const* options) {
    Folder folder;
    program.log.clear();
    program.binary.clear();
    std::string marked = "#line 1 \"" + program.name + "\"\n" + program.source + "\n";
    bool written = folder.made && writeFile(folder / "source.cpp", marked);
    for (auto& header : program.headers) {
        written = written && writeFile(folder / header.first, header.second);
    }
    if (!written) {
        program.log = "cannot write to " + folder.path;
        return INTERNAL_ERROR;
    }
    std::string compiler = "LC_ALL=C " + variable("CXX", "g++") + " -std=c++17 -DGUILOMO_FAKE -I" + quoted(includeFolder()) + " -I"
        + quoted(folder.path) + passedOn(count, options);
    std::string expanded;
    if (!shell(compiler + " -E -P -DFAKE_DEVICE_H " + quoted(folder / "source.cpp") + " 2>" + quoted(folder / "log"), expanded)) {
        program.log = readFile(folder / "log");
        return COMPILATION;
    }
    std::string whole = "#include \"fake_device.h\"\n" + marked + "#line 1 \"launchers\"\n";
    for (auto& kernel : kernelsIn(expanded)) {
        whole += "FAKE_KERNEL(" + kernel.name + ", " + kernel.bounds + ")\n";
    }
    if (!writeFile(folder / "kernels.cpp", whole)) {
        program.log = "cannot write to " + folder.path;
        return INTERNAL_ERROR;
    }
    std::string library = folder / "kernels.so";
    bool compiled = shell(compiler + " -O2 -march=native -shared -fPIC -fvisibility=hidden -fno-gnu-unique -fno-strict-aliasing"
        " -fno-math-errno -fno-exceptions -o " + quoted(library) + " " + quoted(folder / "kernels.cpp") + " 2>&1", program.log);
    std::string image = compiled ? readFile(library) : "";
    if (image.empty()) {
        return COMPILATION;
    }
    uint64_t length = image.size();
    program.binary = "FAKECUBI" + std::string(reinterpret_cast<char*>(&length), 8) + image;
    return SUCCESS;
}

Result give(const std::string* from, bool closed, char* to) {
    if (!from || !to) {
        return INVALID_INPUT;
    }
    memcpy(to, from->c_str(), from->size() + closed);
    return SUCCESS;
}

}

FAKE_API Result nvrtcVersion(int* major, int* minor) {
    *major = 13;
    *minor = 0;
    return SUCCESS;
}

FAKE_API Result nvrtcCreateProgram(Program** program, const char* source, const char* name, int count, const char* const* headers,
        const char* const* names) {
    if (!program || !source || count < 0) {
        return INVALID_INPUT;
    }
    *program = new Program{source, name && *name ? name : "default_program", "", "", {}};
    for (int i = 0; i < count; i++) {
        (*program)->headers.push_back({names[i], headers[i]});
    }
    return SUCCESS;
}

FAKE_API Result nvrtcDestroyProgram(Program** program) {
    if (!program || !*program) {
        return INVALID_PROGRAM;
    }
    delete *program;
    *program = nullptr;
    return SUCCESS;
}

FAKE_API Result nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    return program ? compile(*program, count, options) : INVALID_PROGRAM;
}

FAKE_API Result nvrtcGetProgramLogSize(Program* program, size_t* size) {
    *size = program->log.size() + 1;
    return SUCCESS;
}

FAKE_API Result nvrtcGetProgramLog(Program* program, char* log) {
    return give(&program->log, true, log);
}

FAKE_API Result nvrtcGetCUBINSize(Program* program, size_t* size) {
    *size = program->binary.size();
    return *size ? SUCCESS : INVALID_PROGRAM;
}

FAKE_API Result nvrtcGetCUBIN(Program* program, char* binary) {
    return give(&program->binary, false, binary);
}

FAKE_API Result nvrtcGetPTXSize(Program* program, size_t* size) {
    return nvrtcGetCUBINSize(program, size);
}

FAKE_API Result nvrtcGetPTX(Program* program, char* binary) {
    return nvrtcGetCUBIN(program, binary);
}

FAKE_API const char* nvrtcGetErrorString(Result result) {
    switch (result) {
        case SUCCESS: return "NVRTC_SUCCESS";
        case INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
        case INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
        case COMPILATION: return "NVRTC_ERROR_COMPILATION";
        case INTERNAL_ERROR: return "NVRTC_ERROR_INTERNAL_ERROR";
        default: return "NVRTC_ERROR unknown";
    }
}

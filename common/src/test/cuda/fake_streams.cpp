// Streams and events: all work has been done by the time it is submitted. Names of errors.
#include "fake_driver.h"

#include <time.h>

using namespace fake;

namespace {

struct Event {
    timespec time;
    bool recorded;
};

std::set<void*> streams, events;

Status eventStatus(void* event) {
    Status status = contextStatus();
    return status ? status : events.count(event) ? SUCCESS : INVALID_HANDLE;
}

Status elapsed(float* milliseconds, const Event* start, const Event* end) {
    Guard guard(lock);
    if (eventStatus(const_cast<Event*>(start)) || eventStatus(const_cast<Event*>(end)) || !start->recorded || !end->recorded) {
        return INVALID_HANDLE;
    }
    *milliseconds = float((end->time.tv_sec - start->time.tv_sec) * 1e3 + (end->time.tv_nsec - start->time.tv_nsec) * 1e-6);
    return SUCCESS;
}

struct Name {
    int status;
    const char *name, *text;
};

const Name NAMES[] = {
    {SUCCESS, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
};

Status lookUp(int status, const char** to, const char* Name::*field) {
    *to = nullptr;
    for (const Name& name : NAMES) {
        if (name.status == status) {
            *to = name.*field;
        }
    }
    return *to ? SUCCESS : INVALID_VALUE;
}

}

Status fake::streamStatus(void* stream) {
    Status status = contextStatus();
    return status ? status : stream && !streams.count(stream) ? INVALID_HANDLE : SUCCESS;
}

Status fake::synchronise(Status status) {
    counters.synchronisations += status == SUCCESS;
    return status;
}

FAKE_API Status cuStreamCreate(void** stream, unsigned) {
    Guard guard(lock);
    if (Status status = contextStatus()) {
        return status;
    }
    *stream = new char;
    streams.insert(*stream);
    return SUCCESS;
}

FAKE_API Status cuStreamDestroy_v2(void* stream) {
    Guard guard(lock);
    if (!streams.erase(stream)) {
        return INVALID_HANDLE;
    }
    delete static_cast<char*>(stream);
    return SUCCESS;
}

FAKE_API Status cuStreamSynchronize(void* stream) {
    Guard guard(lock);
    return synchronise(streamStatus(stream));
}

FAKE_API Status cuStreamWaitEvent(void* stream, void* event, unsigned) {
    Guard guard(lock);
    Status status = streamStatus(stream);
    return status ? status : eventStatus(event);
}

FAKE_API Status cuEventCreate(Event** event, unsigned) {
    Guard guard(lock);
    if (Status status = contextStatus()) {
        return status;
    }
    *event = new Event{};
    events.insert(*event);
    return SUCCESS;
}

FAKE_API Status cuEventRecord(Event* event, void* stream) {
    Guard guard(lock);
    Status status = eventStatus(event) ? eventStatus(event) : streamStatus(stream);
    if (!status) {
        clock_gettime(CLOCK_MONOTONIC, &event->time);
        event->recorded = true;
    }
    return status;
}

FAKE_API Status cuEventSynchronize(Event* event) {
    Guard guard(lock);
    return synchronise(eventStatus(event));
}

FAKE_API Status cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
    return elapsed(milliseconds, start, end);
}

FAKE_API Status cuEventElapsedTime_v2(float* milliseconds, Event* start, Event* end) {
    return elapsed(milliseconds, start, end);
}

FAKE_API Status cuEventDestroy_v2(Event* event) {
    Guard guard(lock);
    if (!events.erase(event)) {
        return INVALID_HANDLE;
    }
    delete event;
    return SUCCESS;
}

FAKE_API Status cuGetErrorName(int status, const char** name) {
    return lookUp(status, name, &Name::name);
}

FAKE_API Status cuGetErrorString(int status, const char** text) {
    return lookUp(status, text, &Name::text);
}

FAKE_API Status cuProfilerStart() {
    return SUCCESS;
}

FAKE_API Status cuProfilerStop() {
    return SUCCESS;
}

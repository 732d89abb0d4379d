/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One device: what it should be, what it is, and the operation that it is in
 *
 * A device exists from the beginning of its attach to the end of its removal. Exactly one operation (a
 * sequence of steps) works on it at a time; `abandon` drops whatever the current step waits for.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/list.h"
#include "lib/spec/spec.h"
#include "lib/ublk/ctrl.h"
#include "ublkmgr/backing.h"
#include "ublkmgr/helper.h"
#include "ublkmgr/manager.h"
#include "ublkmgr/steps.h"
#include "ublkmgr/udev.h"
#include "ublkmgr/worker.h"

enum device_state {
        DEVICE_ATTACHING,
        DEVICE_LIVE,
        DEVICE_REMOVING,
        DEVICE_FAILED, /* serves nothing any more; its kernel device is or is being deleted */
        _DEVICE_STATE_MAX,
};

/* An operation has ended. error is 0 or a negative errno, problem says for people what happened and what to
 * do (NULL without error). After a failed attach and a finished removal the device is freed right after this
 * call. */
typedef void (*device_done)(void *userdata, struct device *d, int error, const char *problem);

struct device {
        struct list list; /* in manager.devices */
        struct manager *manager;
        char *name;
        char *object_path;
        char *origin;      /* "api", or "config:" and the path of the file it came from */
        struct spec *spec; /* with defaults */
        enum device_state state;
        uint64_t creation_usec;

        struct ublk_dev_info info; /* as the kernel granted it; valid if `added` */
        bool added;                /* there is a kernel device */
        bool started;              /* there is a disk */
        struct wire_geometry geometry;
        uint64_t diskseq;

        struct backing backing;
        int device_fd; /* /dev/ublkcN between its opening and the hand-over */
        struct worker *worker;
        bool worker_ready;
        bool awaiting_exit; /* the current step ends with the worker */
        bool worker_broken; /* it has ended, or said something wrong, while the device was being removed */

        /* The operation. */
        struct sequence *sequence;
        bool force;
        bool udev_gone;     /* udev has finished with the disk that is being removed */
        bool awaiting_udev; /* the current step ends with that */
        struct ublk_request *request;
        struct ring_op *opening;
        struct helper *helper;
        struct spawn *spawn;
        struct udev_wait *udev_wait;
        struct spec *wanted; /* of an update: what the device shall be; NULL: it is none */
        char *problem;
        device_done done;
        void *userdata;
};

/* Registers a new device with its manager; takes the spec over on success. Returns 0 or -ENOMEM. */
int device_new(struct manager *m, const char *name, struct spec *spec, const char *origin,
               struct device **ret);
/* Frees a device, whatever it is doing. Who waits for its operation is told that the manager stops. */
struct device *device_free(struct device *d);

/* Tells who waits for the operation, once. */
void device_answer(struct device *d, int error, const char *problem);

const char *device_state_to_string(enum device_state state);

/* Begins to attach a new device. backing_fd (taken over, also on error): opened by the caller, or -EBADF.
 * Returns 0 or a negative errno; done() is called later in the first case only. */
int device_attach(struct device *d, int backing_fd, device_done done, void *userdata);

/* Begins to remove a device that is DEVICE_LIVE or DEVICE_FAILED. Without force, one that is in use is left
 * as it is (-EBUSY). Returns as device_attach(). */
int device_detach(struct device *d, bool force, device_done done, void *userdata);

/* Begins to change a DEVICE_LIVE device to another spec, which may differ in what changes live only; takes the spec over
 * on success. Returns as device_attach(). */
int device_update(struct device *d, struct spec *spec, device_done done, void *userdata);

/* Gives up on an update, whose device has just failed. */
void device_cancel_update(struct device *d);

/* Begins to delete the kernel device of a device whose worker ended by itself or can't be trusted any more (and is
 * killed); it stays as DEVICE_FAILED. */
void device_clean_up(struct device *d);

/* The worker's words and end, whatever the device is doing (device-worker.c). */
extern const struct worker_events device_worker_events;

/* What the operations share. */

/* Keeps the text of a failure, the first one only. Returns `error`. */
int device_problem(struct device *d, int error, const char *format, ...) _printf_(3, 4);

/* Sends a control command for this device; its result continues the sequence, and a failure is kept as
 * the problem. Returns STEP_PENDING or a negative errno. */
int device_command(struct device *d, uint32_t op, uint64_t data, const union ublk_payload *payload,
                   uint64_t timeout_usec, ublk_done done);

/* Drops what the current step waits for. */
void device_abandon(void *subject);

/* Waits for the end of the worker, as a step. Returns STEP_DONE if there is none. */
int device_await_worker(struct device *d);

/* Looks whether the kernel device is still this one, as a step: its id may belong to another by now, and then there
 * is nothing to be stopped or deleted. */
int device_look(struct device *d);

/* Makes the partitions of the disk known to the kernel, or unknown, and waits for udev, as a step, which has to have
 * PARTITIONS_TIMEOUT. While a device is attached a failure is only logged. */
int device_change_partitions(struct device *d, bool wanted);
#define PARTITIONS_TIMEOUT (50 * USEC_PER_SEC)

/* The same for a device that was taken over in the middle of that, as no step and without waiting. */
void device_check_partitions(struct device *d);

/* Deletes the kernel device, as a step. Refuses as long as its worker lives. */
int device_delete(struct device *d);

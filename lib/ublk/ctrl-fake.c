/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each command is answered from the event loop, never from within submit(), as the real one does. Hanging
 * commands end like the real ones too: by their timeout.
 */

#include "lib/ublk/ctrl-fake.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lib/base/fd.h"
#include "lib/base/list.h"
#include "lib/base/str.h"

enum {
        FAKE_PROCESSORS = 2,
        FAILURES_MAX = 16,
        HANGS = -1,
};

/* As Linux 7.2 answers. */
#define FAKE_FEATURES UINT64_C(0xfffff)

struct fake_device {
        struct list list;
        struct ublk_dev_info info;
        bool params_set;
        int ours; /* our end of the socket pair; -EBADF: never opened */
};

struct fake_ctrl {
        struct ublk_ctrl ctrl;
        sd_event *event;
        const char *failures;
        unsigned failed[FAILURES_MAX]; /* how often each of them has happened */
        struct list devices;
        struct list requests;
};

struct ublk_request {
        struct list list;
        struct fake_ctrl *fake;
        sd_event_source *source;
        struct ublk_command command;
        int scripted; /* 0: nothing, an errno, or HANGS */
        ublk_done done;
        void *userdata;
};

static struct fake_device *find(struct fake_ctrl *f, uint32_t id) {
        LIST_FOREACH (i, &f->devices) {
                struct fake_device *d = CONTAINER_OF(i, struct fake_device, list);

                if (d->info.dev_id == id)
                        return d;
        }
        return NULL;
}

static int add(struct fake_ctrl *f, struct ublk_dev_info *info) {
        struct fake_device *d;
        uint32_t id = info->dev_id;

        if (id == UBLK_ID_ANY)
                for (id = 0; find(f, id);)
                        id++;
        else if (find(f, id))
                return -EEXIST;
        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        info->dev_id = id;
        info->nr_hw_queues = MIN(info->nr_hw_queues, (uint16_t)FAKE_PROCESSORS);
        info->state = UBLK_STATE_DEAD;
        d->info = *info;
        d->ours = -EBADF;
        list_append(&f->devices, &d->list);
        return 0;
}

/* Whether every copy of the device's fd is closed. */
static bool worker_gone(const struct fake_device *d) {
        char c;

        return d->ours < 0 || recv(d->ours, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static int start(struct fake_device *d) {
        if (!d->params_set)
                return -EINVAL;
        if (worker_gone(d))
                return -EINTR;
        d->info.state = UBLK_STATE_LIVE;
        return 0;
}

static int stop(struct fake_device *d) {
        d->info.state = UBLK_STATE_DEAD;
        d->ours = safe_close(d->ours);
        return 0;
}

static void delete (struct fake_device *d) {
        list_remove(&d->list);
        safe_close(d->ours);
        free(d);
}

static int execute(struct fake_ctrl *f, struct ublk_command *c) {
        struct fake_device *d;

        if (c->op == UBLK_CMD_GET_FEATURES) {
                c->payload.features = FAKE_FEATURES;
                return 0;
        }
        if (c->op == UBLK_CMD_ADD_DEV)
                return add(f, &c->payload.info);

        d = find(f, c->id);
        if (!d)
                return -ENODEV;
        switch (c->op) {
        case UBLK_CMD_SET_PARAMS:
                d->params_set = true;
                return 0;
        case UBLK_CMD_START_DEV:
                return start(d);
        case UBLK_CMD_STOP_DEV:
                return stop(d);
        case UBLK_CMD_DEL_DEV:
                delete (d);
                return 0;
        case UBLK_CMD_GET_DEV_INFO:
                c->payload.info = d->info;
                return 0;
        default:
                return -EOPNOTSUPP;
        }
}

static void request_free(struct ublk_request *request) {
        list_remove(&request->list);
        sd_event_source_disable_unref(request->source);
        free(request);
}

/* Whether a failure ("5", "hang", "5*1") has its turn still, which it has used then. */
static bool use_failure(struct fake_ctrl *f, size_t which, const char *failure) {
        const char *times = failure + strcspn(failure, "*,");

        assert(which < FAILURES_MAX);
        if (*times == '*' && f->failed[which] >= strtoul(times + 1, NULL, 10))
                return false;
        f->failed[which]++;
        return true;
}

/* What the script says about this command: 0 (nothing), an errno, or HANGS. */
static int scripted(struct fake_ctrl *f, const struct ublk_command *c) {
        const char *name = ublk_command_name(c->op);
        size_t n = strlen(name), i = 0;

        for (const char *s = f->failures; s && *s; s = strchr(s, ','), s = s ? s + 1 : NULL, i++) {
                const char *failure = s + n + 1;

                if (strncmp(s, name, n) != 0 || s[n] != ':' || !use_failure(f, i, failure))
                        continue;
                return strncmp(failure, "hang", 4) == 0 ? HANGS : atoi(failure);
        }
        return 0;
}

static uint64_t hasten(uint64_t usec) {
        const char *haste = getenv("UBLK_FAKE_HASTE");

        return haste ? usec / MAX(strtoul(haste, NULL, 10), 1UL) : usec;
}

static int on_answer(_unused_ sd_event_source *source, void *userdata) {
        struct ublk_request *request = userdata;
        int result = request->scripted > 0 ? -request->scripted
                                           : execute(request->fake, &request->command);

        request->done(request->userdata, result, &request->command.payload);
        request_free(request);
        return 0;
}

static int on_timeout(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        struct ublk_request *request = userdata;

        request->done(request->userdata, -ETIMEDOUT, &request->command.payload);
        request_free(request);
        return 0;
}

static int fake_submit(struct ublk_ctrl *c, const struct ublk_command *command,
                       uint64_t timeout_usec, ublk_done done, void *userdata,
                       struct ublk_request **ret) {
        struct fake_ctrl *f = CONTAINER_OF(c, struct fake_ctrl, ctrl);
        struct ublk_request *request;
        int r;

        request = malloc(sizeof(*request));
        if (!request)
                return -ENOMEM;
        *request = (struct ublk_request){
                .fake = f,
                .command = *command,
                .scripted = scripted(f, command),
                .done = done,
                .userdata = userdata,
        };
        list_init(&request->list);
        if (request->scripted == HANGS)
                r = sd_event_add_time_relative(f->event, &request->source, CLOCK_MONOTONIC,
                                               hasten(timeout_usec), 0, on_timeout, request);
        else
                r = sd_event_add_defer(f->event, &request->source, on_answer, request);
        if (r < 0) {
                free(request);
                return r;
        }
        list_append(&f->requests, &request->list);
        if (ret)
                *ret = request;
        return 0;
}

static void fake_forget(_unused_ struct ublk_ctrl *c, struct ublk_request *request) {
        if (request)
                request_free(request);
}

static int fake_open_device(struct ublk_ctrl *c, uint32_t id) {
        struct fake_device *d = find(CONTAINER_OF(c, struct fake_ctrl, ctrl), id);
        int pair[2];

        if (!d)
                return -ENOENT;
        if (!worker_gone(d))
                return -EBUSY;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        safe_close(d->ours);
        d->ours = pair[0];
        return pair[1];
}

static int fake_list(struct ublk_ctrl *c, uint32_t **ret, size_t *ret_count) {
        struct fake_ctrl *f = CONTAINER_OF(c, struct fake_ctrl, ctrl);
        uint32_t *ids;
        size_t n = 0;

        LIST_FOREACH (i, &f->devices)
                n++;
        ids = calloc(n + 1, sizeof(*ids));
        if (!ids)
                return -ENOMEM;
        n = 0;
        LIST_FOREACH (i, &f->devices)
                ids[n++] = CONTAINER_OF(i, struct fake_device, list)->info.dev_id;
        *ret = ids;
        *ret_count = n;
        return 0;
}

static void fake_free(struct ublk_ctrl *c) {
        struct fake_ctrl *f = CONTAINER_OF(c, struct fake_ctrl, ctrl);

        LIST_FOREACH (i, &f->requests)
                request_free(CONTAINER_OF(i, struct ublk_request, list));
        LIST_FOREACH (i, &f->devices)
                delete (CONTAINER_OF(i, struct fake_device, list));
        sd_event_unref(f->event);
        free(f);
}

static const struct ublk_ctrl_ops fake_ops = {
        .submit = fake_submit,
        .forget = fake_forget,
        .open_device = fake_open_device,
        .list = fake_list,
        .free = fake_free,
};

int ublk_ctrl_fake_new(sd_event *event, const char *failures, struct ublk_ctrl **ret) {
        struct fake_ctrl *f = malloc(sizeof(*f));

        if (!f)
                return -ENOMEM;
        *f = (struct fake_ctrl){ .ctrl.ops = &fake_ops,
                                 .event = sd_event_ref(event),
                                 .failures = failures };
        list_init(&f->devices);
        list_init(&f->requests);
        *ret = &f->ctrl;
        return 0;
}

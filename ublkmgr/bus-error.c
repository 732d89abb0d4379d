/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Errors on the bus: one table of names and errnos, read in both directions (by sd-bus for clients that link
 * it, by us when an operation failed).
 */

#include <errno.h>

#include "ublkmgr/bus.h"

static const sd_bus_error_map error_map[] = {
        SD_BUS_ERROR_MAP(ERROR_NO_SUCH_DEVICE, ENXIO),
        SD_BUS_ERROR_MAP(ERROR_DEVICE_EXISTS, EEXIST),
        SD_BUS_ERROR_MAP(ERROR_DEVICE_BUSY, EBUSY),
        SD_BUS_ERROR_MAP(ERROR_INVALID_SPEC, EINVAL),
        SD_BUS_ERROR_MAP(ERROR_INVALID_OPTION, EINVAL),
        SD_BUS_ERROR_MAP(ERROR_INVALID_NAME, EINVAL),
        SD_BUS_ERROR_MAP(ERROR_UNSUPPORTED, EOPNOTSUPP),
        SD_BUS_ERROR_MAP(ERROR_WORKER_FAILED, ECHILD),
        SD_BUS_ERROR_MAP(ERROR_TIMEOUT, ETIMEDOUT),
        SD_BUS_ERROR_MAP(ERROR_FAILED, EIO),
        SD_BUS_ERROR_MAP_END,
};

int bus_errors_register(void) {
        return sd_bus_error_add_map(error_map);
}

const char *bus_error_name(int error) {
        for (const sd_bus_error_map *e = error_map; e->name; e++)
                if (e->code == -error)
                        return e->name;
        return ERROR_FAILED;
}

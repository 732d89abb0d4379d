/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who uses a disk, for a disk that doesn't exist. What mounts, swap and holders look like needs a disk: that is
 * for the tests in the virtual machine.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ublkmgr/users.h"

static void test_no_disk(void **state) {
        char *users = (char *)1;

        (void)state;
        assert_int_equal(disk_users(UINT32_MAX, &users), 0);
        assert_null(users);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_disk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

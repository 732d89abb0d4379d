/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The command line of the manager, shared with its double for tests, which differs in the kernel that it
 * talks to and in nothing else.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "ublkmgr/manager.h"
#include "ublkmgr/settings.h"

static void print_help(const char *program) {
        printf("%s [OPTION...]\n\n"
               "Manages userspace block devices (ublk) for D-Bus clients.\n\n"
               "  -h --help            Show this help\n"
               "     --version         Show the version\n"
               "     --address=ADDRESS Serve on this bus instead of the system bus\n"
               "     --folder=PATH     Keep runtime files here (default: %s)\n"
               "     --spawner=HOW     Start workers as units or as children: auto, systemd, exec\n"
               "     --worker=PATH     The program that serves a device, as a child\n"
               "     --partitions=PATH The program that makes partitions, as a child\n"
               "     --config=PATH     Read settings from here (default: /etc/ublk/ublkmgr.conf)\n"
               "     --check-config    Tell what is wrong with the settings, and exit\n"
               "     --debug           Log more\n\n"
               "See ublkctl(1) for the command line that people use.\n",
               program, RUNTIME_FOLDER);
}

static int parse_spawner(const char *word, enum settings_spawner *ret) {
        for (int i = 0; i < _SETTINGS_SPAWNER_MAX; i++)
                if (streq(settings_spawner_to_string((enum settings_spawner)i), word)) {
                        *ret = (enum settings_spawner)i;
                        return 0;
                }
        log_error("--spawner=%s: not 'auto', 'systemd' or 'exec'", word);
        return -EINVAL;
}

/* Returns 1 to go on, 0 to exit with success, or a negative errno. */
static int parse_options(int argc, char **argv, struct manager_config *config) {
        enum {
                OPTION_VERSION = 256,
                OPTION_ADDRESS,
                OPTION_FOLDER,
                OPTION_SPAWNER,
                OPTION_WORKER,
                OPTION_PARTITIONS,
                OPTION_CONFIG,
                OPTION_CHECK_CONFIG,
                OPTION_DEBUG,
        };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "address", required_argument, NULL, OPTION_ADDRESS },
                { "folder", required_argument, NULL, OPTION_FOLDER },
                { "spawner", required_argument, NULL, OPTION_SPAWNER },
                { "worker", required_argument, NULL, OPTION_WORKER },
                { "partitions", required_argument, NULL, OPTION_PARTITIONS },
                { "config", required_argument, NULL, OPTION_CONFIG },
                { "check-config", no_argument, NULL, OPTION_CHECK_CONFIG },
                { "debug", no_argument, NULL, OPTION_DEBUG },
                { 0 },
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        print_help(argv[0]);
                        return 0;
                case OPTION_VERSION:
                        printf("ublkmgr %s\n", PROJECT_VERSION);
                        return 0;
                case OPTION_ADDRESS:
                        config->address = optarg;
                        break;
                case OPTION_FOLDER:
                        config->folder = optarg;
                        break;
                case OPTION_SPAWNER:
                        if (parse_spawner(optarg, &config->spawner) < 0)
                                return -EINVAL;
                        break;
                case OPTION_WORKER:
                        config->worker_path = optarg;
                        break;
                case OPTION_PARTITIONS:
                        config->partitions_path = optarg;
                        break;
                case OPTION_CONFIG:
                        config->settings_path = optarg;
                        break;
                case OPTION_CHECK_CONFIG:
                        config->check_settings = true;
                        break;
                case OPTION_DEBUG:
                        log_setup("ublkmgr", LOG_DEBUG);
                        break;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                log_error("unexpected argument '%s'", argv[optind]);
                return -EINVAL;
        }
        return 1;
}

int manager_main(int argc, char **argv, struct manager_config *config) {
        _cleanup_(manager_freep) struct manager *m = NULL;
        int r;

        log_setup("ublkmgr", LOG_INFO);
        /* Whoever shares the log with us, a worker, can close it. */
        (void)signal(SIGPIPE, SIG_IGN);
        r = parse_options(argc, argv, config);
        if (r < 0)
                return 2;
        if (r == 0)
                return EXIT_SUCCESS;
        if (config->check_settings)
                return settings_check(config->settings_path);

        r = manager_new(config, &m);
        if (r >= 0)
                r = manager_run(m);
        if (r < 0) {
                (void)log_errno(LOG_ERR, r, "the manager can't go on");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}

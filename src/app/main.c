/* app/main.c - the program: everything is in the library, so that tests and embedders link what the
 * binary links. What only a process of its own may do is here: to see that 0, 1 and 2 are what they
 * are for everybody (the next file to be opened would become the log), and that its output got out.
 */
#include "app/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void take_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            (void)!open("/", O_RDONLY);
}

int main(int argc, char **argv)
{
    take_standard_files();
    /* A limit of file sizes fails a write, as a full disk does. */
    signal(SIGXFSZ, SIG_IGN);
    int code = command_main(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    command_fail("cannot write the output: %s", strerror(errno));
    return code ? code : 1;
}

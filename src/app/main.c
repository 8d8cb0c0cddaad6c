/* app/main.c - the program: everything is in the library, so that tests and embedders link what the
 * binary links. */
#include "app/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}

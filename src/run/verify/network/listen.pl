# Listens on ports on which nobody does, in the background, and says its process. It ends by itself.
# Arguments: seconds, then where: 9/TCP, 53/UDP, or at one address alone, 10.1.2.3:9/TCP.
use strict;
use warnings;
use Errno;
use POSIX ();
use Socket;

my ($seconds, @ports) = @ARGV;
my (%tcp, %udp);
for my $port (@ports) {
    my ($host, $number, $protocol) = $port =~ m{^(?:([\d.]+):)?(\d+)/(TCP|UDP)$} or die "$port is no port\n";
    my $address = defined $host ? inet_aton($host) : INADDR_ANY;
    my $tcp = $protocol eq 'TCP';
    socket(my $socket, PF_INET, $tcp ? SOCK_STREAM : SOCK_DGRAM, 0) or die "socket: $!\n";
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) if $tcp;
    if (!bind($socket, pack_sockaddr_in($number, $address)) || ($tcp && !listen($socket, 64))) {
        next if $!{EADDRINUSE};
        die "$port: $!\n";
    }
    ($tcp ? \%tcp : \%udp)->{fileno $socket} = $socket;
}
exit 0 if !%tcp && !%udp;

defined(my $process = fork) or die "fork: $!\n";
if ($process) {
    print "$process\n";
    exit 0;
}
# Whoever started this waits for its output to end.
POSIX::setsid();
close $_ for *STDIN, *STDOUT, *STDERR;
alarm $seconds;
while (1) {
    my $ready = '';
    vec($ready, $_, 1) = 1 for keys %tcp, keys %udp;
    select($ready, undef, undef, undef) > 0 or next;
    for my $number (grep { vec($ready, $_, 1) } keys %tcp) {
        if (accept my $connection, $tcp{$number}) {
            close $connection;
        }
    }
    for my $number (grep { vec($ready, $_, 1) } keys %udp) {
        my $from = recv($udp{$number}, my $question, 512, 0);
        send($udp{$number}, $question, 0, $from) if $from;
    }
}

# Tries connections, all at the same time and each at most twice, and says what became of them: TARGET VERDICT.
# Arguments: address of the cluster's DNS, then targets such as 10.1.2.3:80/TCP, 10.1.2.3:53/UDP, name.svc:80/TCP.
use strict;
use warnings;
use Errno;
use IO::Handle;
use Socket;

my $SECONDS = 2;
# A question that every DNS server answers, be it with an error: the addresses of the root.
my $QUESTION = pack('n6 C n2', 0x1234, 0x0100, 1, 0, 0, 0, 0, 1, 1);

my ($dns, @targets) = @ARGV;
my (%verdict, %resolved);
for my $try (1, 2) {
    try_all(grep { ($verdict{$_} // '') ne 'connected' } @targets);
}
print "$_ $verdict{$_}\n" for @targets;

sub try_all {
    my %open;
    for my $target (@_) {
        my ($host, $port, $protocol) = $target =~ m{^(\S+):(\d+)/(TCP|UDP)$} or die "$target is no target\n";
        my $address = $host =~ /^[\d.]+$/ ? inet_aton($host) : resolve($host);
        if (!$address) {
            $verdict{$target} = 'dns-failed';
            next;
        }
        my $tcp = $protocol eq 'TCP';
        socket(my $socket, PF_INET, $tcp ? SOCK_STREAM : SOCK_DGRAM, 0) or die "socket: $!\n";
        $socket->blocking(0);
        if (!connect($socket, pack_sockaddr_in($port, $address)) && !$!{EINPROGRESS}) {
            $verdict{$target} = named($!);
            next;
        }
        send($socket, $QUESTION, 0) if !$tcp;
        $open{fileno $socket} = [$target, $socket, $tcp];
    }
    my $end = time + $SECONDS;
    while (%open && time <= $end) {
        my ($read, $write) = ('', '');
        vec($open{$_}[2] ? $write : $read, $_, 1) = 1 for keys %open;
        select($read, $write, undef, 0.5) > 0 or next;
        for my $number (grep { vec($read, $_, 1) || vec($write, $_, 1) } keys %open) {
            my ($target, $socket, $tcp) = @{delete $open{$number}};
            if ($tcp) {
                $! = unpack('i', getsockopt($socket, SOL_SOCKET, SO_ERROR));
                $verdict{$target} = $! ? named($!) : 'connected';
            } else {
                $verdict{$target} = defined recv($socket, my $answer, 512, 0) ? 'connected' : named($!);
            }
        }
    }
    $verdict{$_->[0]} = 'timed-out' for values %open;
}

sub named {
    return 'refused' if $!{ECONNREFUSED};
    return 'timed-out' if $!{ETIMEDOUT};
    return 'unreachable';
}

# The address of a name, by the cluster's DNS.
sub resolve {
    my ($name) = @_;
    return $resolved{$name} if $resolved{$name};
    socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
    connect($socket, pack_sockaddr_in(53, inet_aton($dns))) or return;
    my $labels = join '', map { pack('C/a', $_) } split /\./, $name;
    send($socket, pack('n6', 0x1235, 0x0100, 1, 0, 0, 0) . $labels . pack('C n2', 0, 1, 1), 0) or return;
    my $read = '';
    vec($read, fileno $socket, 1) = 1;
    select($read, undef, undef, $SECONDS) > 0 or return;
    defined recv($socket, my $answer, 512, 0) or return;
    # A Service has one address, and the record with it ends the answer.
    my (undef, $flags, undef, $records) = unpack('n4', $answer);
    return if $records != 1 || $flags & 0xf;
    return $resolved{$name} = substr($answer, -4);
}

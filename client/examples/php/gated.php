<?php
// gated.php: a gated page. CLAIMSD_SOCKET replaces the default.
declare(strict_types=1);
require __DIR__ . '/claimsd.php';

$answer = claimsd_check('doctors', $_SERVER['HTTP_AUTHORIZATION'] ?? '', getenv('CLAIMSD_SOCKET') ?: '/run/claimsd/http.sock');
if ($answer['status'] === 401) {
    header('WWW-Authenticate: ' . $answer['challenge']);
} elseif ($answer['status'] === 503) {
    header('Retry-After: ' . $answer['retry_after']);
}
http_response_code($answer['status']);
if ($answer['status'] === 200) {
    echo 'hello, ' . $answer['email'] . "\n";
}
